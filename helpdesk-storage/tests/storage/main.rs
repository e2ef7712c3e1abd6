//! What every backend must do, and what SQLite does beside.

mod conforms;
mod costs;
mod model;
mod sqlite;
mod work;
