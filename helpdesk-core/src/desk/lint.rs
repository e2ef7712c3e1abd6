//! What is allowed in a desk and still looks like a mistake.
