//! Routing as a desk sees it.
