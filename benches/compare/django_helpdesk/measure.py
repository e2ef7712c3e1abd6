"""django-helpdesk beside the engine: the same generated texts, one run, one machine.

    python3 benches/compare/django_helpdesk/measure.py [--tickets N] [--json]

Makes a virtual environment in the target folder, installs requirements.txt from PyPI into it,
and measures there what django-helpdesk's own functions cost: its three ways to make a ticket
(mail intake by create_object_from_email_message, the public form by PublicTicketForm, a POST to
its REST interface), update_ticket and the REST list of 50. The engine
(`cargo bench --bench calls`) gets the same texts, with 100 rules, SLA policies and routing on,
one after the other and 32 at once (tasks of one thread, each told when its ticket is on the disk);
django-helpdesk has one call at a time.
Both keep their data in a SQLite file in a fresh folder; django-helpdesk sends mail to a
backend that drops it. CPU is of the process, user and system; of all calls of a kind
the mean and the median count. Needs Python 3.10 or newer and a network the first time.
"""

import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent
WORDS = (
    "the order desk lamp chair invoice refund parcel delivery damaged broken missing screen "
    "password account login network printer contract price offer question please help since "
    "yesterday again still cannot does not work error page customer number thank you kind regards"
).split()
# Their calls, and those of the engine beside them: a ticket at a time, and as many calls as
# come in at once.
CALLS = {
    "mail": ("mail", "create"),
    "mail, at once": ("mail", "create_at_once"),
    "form": ("form", "create"),
    "form, at once": ("form", "create_at_once"),
    "post": ("post", "create"),
    "post, at once": ("post", "create_at_once"),
    "update": ("update", "update"),
    "list": ("list", "list"),
}


def texts(n, seed):
    """Mails of about 600 bytes, drawn from a seed."""
    draw = random.Random(seed)

    def words(n_words):
        return " ".join(draw.choice(WORDS) for _ in range(n_words))

    return [
        {
            "from": f"person{draw.randrange(n)}@example.com",
            "subject": words(6).capitalize(),
            "text": words(100).capitalize() + ".",
        }
        for _ in range(n)
    ]


def environment():
    """The Python of the environment, made where it is not there."""
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    home = target / "django-helpdesk"
    python = home / "bin" / "python"
    mark = home / "installed.txt"
    wanted = (HERE / "requirements.txt").read_text()
    if not mark.exists() or mark.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "-q", "-r", str(HERE / "requirements.txt")],
            check=True,
            stdout=sys.stderr,
        )
        mark.write_text(wanted)
    return str(python)


def timed(calls):
    """CPU and wall milliseconds of each call."""
    cpu, wall = [], []
    for call in calls:
        before, start = time.process_time_ns(), time.perf_counter_ns()
        call()
        wall.append((time.perf_counter_ns() - start) / 1e6)
        cpu.append((time.process_time_ns() - before) / 1e6)
    return {
        "n": len(cpu),
        "cpu_ms": statistics.fmean(cpu),
        "cpu_ms_median": statistics.median(cpu),
        "wall_ms": statistics.fmean(wall),
    }


def django_side(path):
    """Measured inside the environment; prints JSON."""
    mails = json.loads(pathlib.Path(path).read_text())
    folder = tempfile.mkdtemp()
    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY="of no use",
        ROOT_URLCONF="urls",
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": os.path.join(folder, "desk.sqlite3"),
            }
        },
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.sites",
            "django.contrib.humanize",
            "django.contrib.messages",
            "rest_framework",
            "helpdesk",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        TEMPLATES=[
            {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}
        ],
        EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        HELPDESK_ACTIVATE_API_ENDPOINT=True,
        HELPDESK_TEAMS_MODE_ENABLED=False,
        SITE_ID=1,
        USE_TZ=True,
        ALLOWED_HOSTS=["*"],
        STATIC_URL="/static/",
        MEDIA_ROOT=folder,
        LOGGING_CONFIG=None,
    )
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    import logging
    from email.message import EmailMessage

    from django.contrib.auth import get_user_model
    from helpdesk.email import create_object_from_email_message
    from helpdesk.forms import PublicTicketForm
    from helpdesk.models import Queue, Ticket
    from helpdesk.update_ticket import update_ticket
    from rest_framework.test import APIClient

    logger = logging.getLogger("measure")
    logger.setLevel(logging.CRITICAL)
    user = get_user_model().objects.create_superuser("amy", "amy@example.com", "secret")
    queue = Queue.objects.create(
        title="Support", slug="support", allow_email_submission=True,
        email_address="support@example.com", allow_public_submission=True,
    )

    def submit(mail):
        form = PublicTicketForm(
            data={
                "queue": queue.pk, "title": mail["subject"], "body": mail["text"],
                "priority": "3", "submitter_email": mail["from"],
            }
        )
        assert form.is_valid(), form.errors
        form.save(user=None)

    def intake(i, mail):
        message = EmailMessage()
        message["From"], message["To"] = mail["from"], "support@example.com"
        message["Subject"], message["Message-Id"] = mail["subject"], f"<{i}@example.com>"
        message.set_content(mail["text"])
        payload = {
            "queue": queue, "sender_email": mail["from"], "subject": mail["subject"],
            "body": mail["text"], "full_body": mail["text"], "priority": 3,
        }
        create_object_from_email_message(message, None, payload, [], logger)

    warm_up = min(20, len(mails) // 4)
    for i, mail in enumerate(mails[:warm_up]):
        intake(f"w{i}", mail)
    found = {
        "version": __import__("importlib.metadata").metadata.version("django-helpdesk"),
        "django": django.get_version(),
        "mail": timed(
            (lambda i=i, mail=mail: intake(i, mail)) for i, mail in enumerate(mails)
        ),
    }
    tickets = list(Ticket.objects.order_by("id")[: len(mails) // 2])
    found["update"] = timed(
        (
            lambda ticket=ticket: update_ticket(
                user, ticket, comment="We look into it.", public=True
            )
        )
        for ticket in tickets
    )
    client = APIClient()
    client.force_authenticate(user)

    def page():
        response = client.get("/api/tickets/", {"page_size": 50})
        assert response.status_code == 200, response.content[:500]
        assert len(response.json()["results"]) == min(50, len(mails) + warm_up)

    page()
    found["list"] = timed(page for _ in range(20))

    def post(mail):
        ticket = {
            "queue": queue.pk, "title": mail["subject"], "description": mail["text"],
            "priority": 3, "submitter_email": mail["from"],
        }
        response = client.post("/api/tickets/", ticket, format="json")
        assert response.status_code == 201, response.content[:500]

    for call, make in (("form", submit), ("post", post)):
        for mail in mails[:warm_up]:
            make(mail)
        found[call] = timed((lambda mail=mail: make(mail)) for mail in mails)
    print(json.dumps(found))


def our_side(path):
    """The engine on the same texts."""
    command = ["cargo", "bench", "--quiet", "--bench", "calls", "--", "--texts", path]
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    return json.loads(output)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tickets", type=int, default=500)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--django-side", metavar="TEXTS", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.django_side:
        return django_side(options.django_side)
    if options.tickets < 60:
        parser.error("take 60 tickets at least: a page has 50")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "texts.json")
        pathlib.Path(path).write_text(json.dumps(texts(options.tickets, options.seed)))
        command = [environment(), __file__, "--django-side", path]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
        theirs = json.loads(output.splitlines()[-1])
        ours = our_side(path)
    # A ticket of ours is made by one call, whatever it came by.
    pairs = {call: (theirs[other], ours[own]) for call, (other, own) in CALLS.items()}
    ratios = {call: other["cpu_ms"] / own["cpu_ms"] for call, (other, own) in pairs.items()}
    if options.json:
        print(json.dumps({"django_helpdesk": theirs, "helpdesk": ours, "x_cpu": ratios}))
        return None
    print(f"{options.tickets} tickets; django-helpdesk {theirs['version']}, Django {theirs['django']}")
    print(f"{'':14}{'theirs, CPU':>14}{'ours, CPU':>14}{'CPU':>10}{'theirs, wall':>15}{'ours, wall':>14}")
    for call, ratio in ratios.items():
        other, own = pairs[call]
        print(
            f"{call:14}{other['cpu_ms']:>11.2f} ms{own['cpu_ms']:>11.4f} ms{ratio:>8.0f} x"
            f"{other['wall_ms']:>12.2f} ms{own['wall_ms']:>11.4f} ms"
        )
    return None


if __name__ == "__main__":
    sys.exit(main())
