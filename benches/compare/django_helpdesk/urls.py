"""The URLs of django-helpdesk's own pages, and no others."""

from django.urls import include, path

urlpatterns = [path("", include("helpdesk.urls"))]
