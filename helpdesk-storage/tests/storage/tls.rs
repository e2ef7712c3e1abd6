//! TLS to PostgreSQL: the server's certificate is checked, and so is its name.

use crate::servers::options;
use crate::work::{received, tenant};
use helpdesk_storage::postgres::rustls::crypto::ring;
use helpdesk_storage::postgres::rustls::{ClientConfig, RootCertStore};
use helpdesk_storage::postgres::{PostgresOptions, PostgresStore};
use helpdesk_storage::{Store, StoreError};
use helpdesk_test_support::postgres::{Cluster, Disk};
use pollster::block_on;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::error::Error;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

/// Who signs certificates.
type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A server that shows a certificate for `localhost`.
fn server(authority: &Authority) -> Cluster {
    let cluster = Cluster::start(Disk::Unsafe).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let shown = params.signed_by(&key, authority).unwrap();
    put(&cluster, &cluster.data().join("server.crt"), &shown.pem());
    put(&cluster, &cluster.data().join("server.key"), &key.serialize_pem());
    let settings = cluster.data().join("postgresql.conf");
    let mut settings = std::fs::OpenOptions::new().append(true).open(settings).unwrap();
    settings.write_all(b"\nssl = on\n").unwrap();
    // Read anew, it would take a moment until all see it.
    cluster.crash().unwrap();
    cluster.restart().unwrap();
    cluster
}

/// A file that only the server reads.
fn put(cluster: &Cluster, path: &Path, text: &str) {
    let mut file = std::fs::OpenOptions::new();
    let mut file = file.write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    cluster.give(path).unwrap();
}

/// Options of a client that trusts nobody else.
fn trusting(authority: &Authority) -> PostgresOptions {
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    options().with_tls(Arc::new(config))
}

fn address(cluster: &Cluster, host: &str, mode: &str) -> String {
    let port = cluster.port();
    format!(
        "host={host} hostaddr=127.0.0.1 port={port} user=postgres dbname=postgres sslmode={mode}"
    )
}

/// Why no store was opened.
fn refusal(address: &str, options: PostgresOptions) -> String {
    let error = block_on(PostgresStore::open(address, options)).unwrap_err();
    assert!(matches!(error, StoreError::Unavailable { .. }), "{error:?}");
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words += &format!(": {cause}");
        source = cause.source();
    }
    words
}

#[test]
fn a_store_speaks_tls_to_a_server_whose_certificate_it_trusts() {
    let authority = authority();
    let cluster = server(&authority);
    let here = address(&cluster, "localhost", "require");
    let store = block_on(PostgresStore::open(&here, trusting(&authority))).unwrap();
    block_on(store.commit(received(1, 0))).unwrap();
    assert!(block_on(store.feed_end(tenant())).is_ok());
    let (n_tls, n_plain) = sessions(&cluster);
    assert!(n_tls > 0, "the store's own sessions are encrypted");
    assert_eq!(n_plain, 0);
}

/// Sessions of stores: with TLS, and without.
fn sessions(cluster: &Cluster) -> (i64, i64) {
    use helpdesk_storage::postgres::tokio_postgres::{NoTls, connect};
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = connect(&cluster.address(), NoTls).await.unwrap();
        tokio::spawn(connection);
        let sql = "SELECT count(*) FILTER (WHERE ssl), count(*) FILTER (WHERE NOT ssl) \
            FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'helpdesk'";
        let row = client.query_one(sql, &[]).await.unwrap();
        (row.get(0), row.get(1))
    })
}

#[test]
fn a_certificate_of_another_signer_or_name_is_refused() {
    let authority = authority();
    let cluster = server(&authority);
    let here = address(&cluster, "localhost", "require");
    let others = refusal(&here, trusting(&self::authority()));
    assert!(others.contains("UnknownIssuer") || others.contains("BadSignature"), "{others}");
    // Unless told otherwise, it is who browsers trust.
    let browsers = refusal(&here, options());
    assert!(browsers.contains("UnknownIssuer"), "{browsers}");
    let elsewhere = refusal(&address(&cluster, "db.example", "require"), trusting(&authority));
    assert!(elsewhere.contains("not valid for name"), "{elsewhere}");
    assert_eq!(sessions(&cluster), (0, 0), "nobody got in");
}

#[test]
fn a_server_without_tls_is_refused_where_it_is_required() {
    let plain = Cluster::start(Disk::Unsafe).unwrap();
    let refused = refusal(&address(&plain, "localhost", "require"), trusting(&authority()));
    assert!(refused.contains("TLS"), "{refused}");
}
