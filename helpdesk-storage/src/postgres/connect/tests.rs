use super::config;
use crate::postgres::{PostgresOptions, StatementMode};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_connection_that_fell_silent_is_given_up_soon_unless_the_address_says_otherwise() {
    for mode in [StatementMode::Prepared, StatementMode::Unnamed] {
        let options = PostgresOptions::default().with_statements(mode);
        let bounds = |address: &str| {
            let it = config(address, &options).unwrap();
            let probes =
                (it.get_keepalives_interval().unwrap(), it.get_keepalives_retries().unwrap());
            let bounds = (*it.get_tcp_user_timeout().unwrap(), it.get_keepalives_idle(), probes);
            assert!(it.get_keepalives());
            bounds
        };
        let (silence, idle, (interval, retries)) = bounds("host=desk user=desk");
        assert_eq!((silence, idle + interval * retries), (30 * SECOND, 30 * SECOND));
        let own = "host=desk user=desk tcp_user_timeout=5 keepalives_idle=6 \
                   keepalives_interval=7 keepalives_retries=8";
        assert_eq!(bounds(own), (5 * SECOND, 6 * SECOND, (7 * SECOND, 8)));
    }
}

#[test]
fn a_statement_has_an_end_where_sessions_are_the_stores_own() {
    let said = |options: &PostgresOptions, address: &str| {
        config(address, options).unwrap().get_options().unwrap_or_default().to_owned()
    };
    let (options, plain) = (PostgresOptions::default(), "host=desk user=desk");
    assert!(said(&options, plain).ends_with(" -c statement_timeout=60000"));
    let own = "host=desk user=desk options='-c statement_timeout=7'";
    assert!(said(&options, own).ends_with("=60000 -c statement_timeout=7"), "the last one holds");
    let least = options.clone().with_statement_timeout(Duration::from_nanos(1));
    assert!(said(&least, plain).ends_with("=1"), "the least is not none");
    let none = options.clone().with_statement_timeout(Duration::ZERO);
    assert!(said(&none, plain).ends_with("=0"));
    let most = options.clone().with_statement_timeout(Duration::MAX);
    assert!(said(&most, plain).ends_with("=2147483647"));
    // A pooler may refuse what is said for the session.
    assert_eq!(said(&options.with_statements(StatementMode::Unnamed), plain), "");
}
