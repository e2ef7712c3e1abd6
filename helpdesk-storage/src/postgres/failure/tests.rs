use super::{Kind, commit_failed, kind, kind_of};
use crate::StoreError;
use helpdesk_test_support::postgres::shared;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, NoTls};

/// A value that cannot be written.
#[derive(Debug)]
struct Unwritable;

impl ToSql for Unwritable {
    fn to_sql(
        &self,
        _: &Type,
        _: &mut bytes::BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        Err("it cannot be written".into())
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// Runs something on a connection, which goes on afterwards unless it was cut.
fn on_a_connection(work: &impl AsyncFn(&Client) -> tokio_postgres::Error) -> (Kind, StoreError) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) =
            tokio_postgres::connect(&shared().unwrap(), NoTls).await.unwrap();
        tokio::spawn(connection);
        let error = work(&client).await;
        let kind = kind(&error);
        let goes_on = client.simple_query("SELECT 1").await.is_ok();
        assert_eq!(goes_on, kind != Kind::Lost, "{error:?}");
        let error = commit_failed(error);
        assert_eq!(kind_of(&error), Some(kind));
        (kind, error)
    })
}

#[test]
fn what_could_not_be_sent_is_no_lost_connection() {
    let value: (&(dyn ToSql + Sync), Type) = (&Unwritable, Type::INT4);
    let unwritable = on_a_connection(&async |client| {
        client.query_typed("SELECT $1", &[(value.0, value.1.clone())]).await.unwrap_err()
    });
    let too_few =
        on_a_connection(&async |client| client.query("SELECT $1::int", &[]).await.unwrap_err());
    let unencodable =
        on_a_connection(&async |client| client.batch_execute("SELECT '\0'").await.unwrap_err());
    for (kind, error) in [unwritable, too_few, unencodable] {
        assert_eq!(kind, Kind::Other);
        assert!(matches!(error, StoreError::Backend { .. }), "{error:?}");
    }
}

#[test]
fn a_connection_that_ends_leaves_it_open_whether_a_commit_was_done() {
    let (kind, error) = on_a_connection(&async |client| {
        client.query("SELECT pg_terminate_backend(pg_backend_pid())", &[]).await.unwrap_err()
    });
    assert_eq!(kind, Kind::Lost);
    assert!(matches!(error, StoreError::Ambiguous { .. }), "{error:?}");
}
