//! Conditions as a desk writes them.
