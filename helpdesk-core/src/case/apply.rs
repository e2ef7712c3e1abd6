//! How each event changes a stream: the only way state changes.
