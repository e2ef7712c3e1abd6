//! The statements of a store, with its prefix put in once.

macro_rules! statements {
    ($($name:ident: $text:literal;)*) => {
        /// Statements by what they do.
        #[derive(Debug)]
        pub(super) struct Statements {
            $(pub(super) $name: String,)*
        }

        impl Statements {
            /// The statements on tables with this prefix.
            pub(super) fn new(prefix: &str) -> Self {
                Self { $($name: $text.replace("{p}", prefix),)* }
            }
        }
    };
}

statements! {
    ticket_version: "SELECT version FROM {p}ticket WHERE tenant_id = ?1 AND id = ?2";
    ticket_get: "SELECT version, doc FROM {p}ticket WHERE tenant_id = ?1 AND id = ?2";
    ticket_row: "SELECT version, doc FROM {p}ticket WHERE rowid = ?1";
    ticket_summary: "SELECT version, doc, created_at, updated_at, last_requester_at, due_at \
        FROM {p}ticket WHERE rowid = ?1";
    ticket_insert: "INSERT INTO {p}ticket (tenant_id, id, version, number, shelf, \
        status_category, status, priority, queue_key, group_key, assignee_id, requester_id, \
        organization_id, copied_ids, created_at, updated_at, last_requester_at, due_at, doc, \
        number_key, outbox_seq, first_run, conversation) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, \
        ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, CASE WHEN EXISTS (SELECT 1 FROM {p}message \
        WHERE tenant_id = ?1 AND ticket_id = ?2) THEN NULL ELSE ?23 END)";
    ticket_update: "UPDATE {p}ticket SET version = ?3, number = ?4, shelf = ?5, \
        status_category = ?6, status = ?7, priority = ?8, queue_key = ?9, group_key = ?10, \
        assignee_id = ?11, requester_id = ?12, organization_id = ?13, copied_ids = ?14, \
        created_at = ?15, updated_at = ?16, last_requester_at = ?17, due_at = ?18, doc = ?19, \
        outbox_seq = coalesce(?21, outbox_seq) WHERE tenant_id = ?1 AND id = ?2 AND (number_key IS NULL OR number = ?4)";
    ticket_bump: "UPDATE {p}ticket SET version = ?3 WHERE tenant_id = ?1 AND id = ?2";

    entity_version: "SELECT version FROM {p}entity WHERE tenant_id = ?1 AND kind = ?2 AND id = ?3";
    entity_get: "SELECT version, doc FROM {p}entity WHERE tenant_id = ?1 AND kind = ?2 AND id = ?3";
    entity_insert: "INSERT INTO {p}entity (tenant_id, kind, id, version, doc) \
        VALUES (?1, ?2, ?3, ?4, ?5)";
    entity_update: "UPDATE {p}entity SET version = ?4, doc = ?5 \
        WHERE tenant_id = ?1 AND kind = ?2 AND id = ?3";
    entity_bump: "UPDATE {p}entity SET version = ?4 WHERE tenant_id = ?1 AND kind = ?2 AND id = ?3";
    entity_list: "SELECT version, doc, id FROM {p}entity \
        WHERE tenant_id = ?1 AND kind = ?2 AND id > ?3 ORDER BY id LIMIT ?4";
    ticket_list: "SELECT version, doc, id FROM {p}ticket \
        WHERE tenant_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3";

    placed_put: "INSERT INTO {p}conversation (place, doc) SELECT conversation << 32 | ?3, ?4 \
        FROM {p}ticket WHERE tenant_id = ?1 AND id = ?2 AND conversation IS NOT NULL \
        ON CONFLICT (place) DO UPDATE SET doc = excluded.doc";
    placed_list: "SELECT doc, place & 4294967295 FROM {p}conversation WHERE \
        place > (SELECT conversation << 32 | min(?3, 4294967295) FROM {p}ticket \
        WHERE tenant_id = ?1 AND id = ?2) AND place <= (SELECT conversation << 32 | 4294967295 \
        FROM {p}ticket WHERE tenant_id = ?1 AND id = ?2) ORDER BY place LIMIT ?4";
    message_get: "SELECT doc FROM {p}conversation WHERE place = (SELECT conversation << 32 | ?3 \
        FROM {p}ticket WHERE tenant_id = ?1 AND id = ?2) UNION ALL \
        SELECT doc FROM {p}message WHERE tenant_id = ?1 AND ticket_id = ?2 AND seq = ?3";
    message_put: "INSERT INTO {p}message (tenant_id, ticket_id, seq, doc) VALUES (?1, ?2, ?3, ?4) \
        ON CONFLICT (tenant_id, ticket_id, seq) DO UPDATE SET doc = excluded.doc";
    message_list: "SELECT doc, seq FROM {p}message \
        WHERE tenant_id = ?1 AND ticket_id = ?2 AND seq > ?3 ORDER BY seq LIMIT ?4";

    config_get: "SELECT doc FROM {p}config WHERE tenant_id = ?1 AND version = ?2";
    config_put: "INSERT INTO {p}config (tenant_id, version, doc) VALUES (?1, ?2, ?3) \
        ON CONFLICT (tenant_id, version) DO UPDATE SET doc = excluded.doc";
    config_list: "SELECT doc, version FROM {p}config \
        WHERE tenant_id = ?1 AND version < ?2 ORDER BY version DESC LIMIT ?3";

    event_last: "SELECT position, tenant_id FROM {p}event ORDER BY position DESC LIMIT 1";
    stretch_put: "INSERT INTO {p}stretch (tenant_id, n) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    event_insert: "INSERT INTO {p}event (position, tenant_id, stream_kind, stream_id, n, doc, \
        is_first) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    event_rewrite: "UPDATE {p}event SET doc = ?1 WHERE position = ?2";
    event_stream: "SELECT position, stream_kind, stream_id, n, doc FROM {p}event \
        WHERE position = (SELECT first_run FROM {p}ticket WHERE tenant_id = ?1 AND id = ?3) \
        AND +tenant_id = ?1 AND +stream_kind = ?2 AND +stream_id = ?3 AND n > ?4 UNION ALL \
        SELECT position, stream_kind, stream_id, n, doc FROM {p}event \
        WHERE tenant_id = ?1 AND stream_kind = ?2 AND stream_id = ?3 AND n > ?4 \
        AND is_first IS NULL ORDER BY n";
    event_feed: "SELECT e.position, e.stream_kind, e.stream_id, e.n, e.doc \
        FROM {p}stretch AS s CROSS JOIN {p}event AS e WHERE s.tenant_id = ?1 AND s.n >= ?2 / 128 \
        AND e.position > max(?2, s.n * 128 - 1) AND e.position < s.n * 128 + 128 \
        AND +e.tenant_id = ?1 ORDER BY s.n, e.position";
    event_end: "SELECT e.position FROM {p}stretch AS s CROSS JOIN {p}event AS e \
        WHERE s.tenant_id = ?1 AND e.position >= s.n * 128 AND e.position < s.n * 128 + 128 \
        AND +e.tenant_id = ?1 ORDER BY s.n DESC, e.position DESC LIMIT 1";
    event_roster: "SELECT position, stream_kind, stream_id, n, doc FROM {p}event \
        WHERE tenant_id = ?1 AND stream_kind IN ('agent', 'config', 'presence') \
        AND position > ?2 ORDER BY position";

    unique_get: "SELECT stream_kind, stream_id FROM {p}unique \
        WHERE tenant_id = ?1 AND kind = ?2 AND key = ?3";
    number_get: "SELECT 'case', id FROM {p}ticket \
        WHERE tenant_id = ?1 AND number = ?3 AND number_key = ?2 \
        UNION ALL SELECT stream_kind, stream_id FROM {p}unique \
        WHERE tenant_id = ?1 AND kind = 'number' AND key = ?2";
    number_unset: "UPDATE {p}ticket SET number_key = NULL \
        WHERE tenant_id = ?1 AND number = ?3 AND number_key = ?2";
    number_move: "INSERT INTO {p}unique (tenant_id, kind, key, stream_kind, stream_id) \
        SELECT tenant_id, 'number', number_key, 'case', id FROM {p}ticket \
        WHERE tenant_id = ?1 AND id = ?2 AND number_key IS NOT NULL";
    number_moved: "UPDATE {p}ticket SET number_key = NULL WHERE tenant_id = ?1 AND id = ?2";
    unique_put: "INSERT INTO {p}unique (tenant_id, kind, key, stream_kind, stream_id) \
        VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (tenant_id, kind, key) \
        DO UPDATE SET stream_kind = excluded.stream_kind, stream_id = excluded.stream_id";
    unique_remove: "DELETE FROM {p}unique WHERE tenant_id = ?1 AND kind = ?2 AND key = ?3";

    command_get: "SELECT sha256, doc FROM {p}idem WHERE tenant_id = ?1 AND id = ?2";
    command_put: "INSERT INTO {p}idem (tenant_id, id, sha256, expires_at, doc) \
        VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (tenant_id, id) \
        DO UPDATE SET sha256 = excluded.sha256, expires_at = excluded.expires_at, doc = excluded.doc";
    command_purge: "DELETE FROM {p}idem WHERE tenant_id = ?1 AND expires_at <= ?2";

    timer_get: "SELECT generation, n_claims, is_leased, set_for, due_at FROM {p}timer \
        WHERE tenant_id = ?1 AND stream_kind = ?2 AND stream_id = ?3 AND kind = ?4";
    timer_set: "INSERT INTO {p}timer (tenant_id, stream_kind, stream_id, kind, rank, generation, \
        set_for, due_at, is_leased, n_claims, n_attempts) \
        VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?6, 0, 0, 0) \
        ON CONFLICT (tenant_id, stream_kind, stream_id, kind) DO UPDATE SET \
        generation = generation + 1, set_for = excluded.set_for, due_at = excluded.due_at, \
        is_leased = 0, n_claims = 0, n_attempts = 0";
    timer_remove: "UPDATE {p}timer SET due_at = NULL, is_leased = 0 \
        WHERE tenant_id = ?1 AND stream_kind = ?2 AND stream_id = ?3 AND kind = ?4 \
        AND due_at IS NOT NULL";
    timer_lease: "UPDATE {p}timer SET due_at = ?5, is_leased = 1, n_claims = n_claims + 1, \
        n_attempts = n_attempts + 1 \
        WHERE tenant_id = ?1 AND stream_kind = ?2 AND stream_id = ?3 AND kind = ?4";
    timer_due: "UPDATE {p}timer SET due_at = ?5, is_leased = ?6 \
        WHERE tenant_id = ?1 AND stream_kind = ?2 AND stream_id = ?3 AND kind = ?4";
    timer_put_off: "UPDATE {p}timer SET due_at = ?5, is_leased = 0 \
        WHERE tenant_id = ?1 AND stream_kind = ?2 AND stream_id = ?3 AND kind = ?4";
    timer_tenant: "SELECT tenant_id FROM {p}timer \
        WHERE due_at IS NOT NULL AND tenant_id > ?1 ORDER BY tenant_id LIMIT 1";
    timer_heads: "SELECT due_at, tenant_id, stream_kind, stream_id, kind, generation, n_claims, \
        n_attempts, set_for, rank FROM {p}timer WHERE tenant_id = ?1 AND due_at IS NOT NULL \
        ORDER BY due_at, rank, stream_id, stream_kind";
    timer_release: "UPDATE {p}timer SET due_at = coalesce(?5, set_for), is_leased = 0, \
        n_attempts = max(n_attempts - 1, 0) \
        WHERE tenant_id = ?1 AND stream_kind = ?2 AND stream_id = ?3 AND kind = ?4";

    outbox_get: "SELECT seq, n_claims, is_leased, n_attempts, ordering_key FROM {p}outbox \
        WHERE tenant_id = ?1 AND id = ?2";
    outbox_lane: "SELECT EXISTS (SELECT 1 FROM {p}outbox \
        WHERE tenant_id = ?1 AND ordering_key = ?2 AND is_alone IS NULL) OR EXISTS \
        (SELECT 1 FROM {p}ticket AS t CROSS JOIN {p}outbox AS o ON o.seq = t.outbox_seq \
        WHERE t.tenant_id = ?1 AND t.id = ?2 AND +o.tenant_id = ?1 AND +o.ordering_key = ?2)";
    outbox_insert: "INSERT INTO {p}outbox (tenant_id, id, ordering_key, topic, not_before, due_at, \
        is_leased, n_claims, n_attempts, doc, is_alone) \
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, 0, ?8, ?9)";
    outbox_join: "UPDATE {p}outbox SET is_alone = NULL WHERE seq = (SELECT outbox_seq \
        FROM {p}ticket WHERE tenant_id = ?1 AND id = ?2 AND version = ?3) \
        AND tenant_id = ?1 AND ordering_key = ?2";
    outbox_doc: "SELECT doc FROM {p}outbox WHERE seq = ?1";
    outbox_remove: "DELETE FROM {p}outbox WHERE seq = ?1";
    outbox_promote: "UPDATE {p}outbox SET due_at = not_before WHERE seq = (SELECT seq \
        FROM {p}outbox WHERE tenant_id = ?1 AND ordering_key = ?2 AND is_alone IS NULL \
        ORDER BY seq LIMIT 1)";
    outbox_tenant: "SELECT tenant_id FROM {p}outbox \
        WHERE due_at IS NOT NULL AND tenant_id > ?1 ORDER BY tenant_id LIMIT 1";
    outbox_heads: "SELECT due_at, tenant_id, id, n_claims, n_attempts, seq FROM {p}outbox \
        WHERE tenant_id = ?1 AND due_at IS NOT NULL ORDER BY due_at, seq";
    outbox_lease: "UPDATE {p}outbox SET due_at = ?2, is_leased = 1, n_claims = n_claims + 1, \
        n_attempts = n_attempts + 1 WHERE seq = ?1";
    outbox_put_off: "UPDATE {p}outbox SET due_at = ?2, is_leased = 0 WHERE seq = ?1";
    outbox_due: "UPDATE {p}outbox SET due_at = ?3, is_leased = ?4 \
        WHERE tenant_id = ?1 AND id = ?2";
    outbox_release: "UPDATE {p}outbox SET due_at = coalesce(?3, not_before), is_leased = 0, \
        n_attempts = max(n_attempts - 1, 0) WHERE tenant_id = ?1 AND id = ?2";

    dead_get: "SELECT doc FROM {p}dead WHERE tenant_id = ?1 AND id = ?2";
    dead_put: "INSERT INTO {p}dead (tenant_id, id, died_at, n_claims, doc) \
        VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (tenant_id, id) DO UPDATE SET \
        died_at = excluded.died_at, n_claims = excluded.n_claims, doc = excluded.doc";
    dead_list: "SELECT doc, died_at, id FROM {p}dead WHERE tenant_id = ?1 AND \
        died_at >= ?2 AND (died_at > ?2 OR id > ?3) ORDER BY died_at, id LIMIT ?4";
    dead_all: "SELECT id, n_claims, doc FROM {p}dead AS dead WHERE tenant_id = ?1 AND NOT EXISTS \
        (SELECT 1 FROM {p}outbox AS live WHERE live.tenant_id = ?1 AND live.id = dead.id) \
        ORDER BY died_at, id";
    dead_remove: "DELETE FROM {p}dead WHERE tenant_id = ?1 AND id = ?2";
    dead_purge: "DELETE FROM {p}dead WHERE tenant_id = ?1 AND died_at < ?2";

    ticket_purge: "DELETE FROM {p}ticket WHERE tenant_id = ?1 AND id = ?2 AND version = ?3";
    placed_purge: "DELETE FROM {p}conversation WHERE place >= (SELECT conversation << 32 \
        FROM {p}ticket WHERE tenant_id = ?1 AND id = ?2 AND version = ?3) \
        AND place <= (SELECT conversation << 32 | 4294967295 \
        FROM {p}ticket WHERE tenant_id = ?1 AND id = ?2 AND version = ?3)";
    stretch_purge: "DELETE FROM {p}stretch WHERE tenant_id = ?1 AND n = ?2 AND NOT EXISTS \
        (SELECT 1 FROM {p}event AS e WHERE e.position >= ?2 * 128 \
        AND e.position < ?2 * 128 + 128 AND +e.tenant_id = ?1)";
    message_purge: "DELETE FROM {p}message WHERE tenant_id = ?1 AND ticket_id = ?2";
    first_run: "SELECT first_run FROM {p}ticket WHERE tenant_id = ?1 AND id = ?2";
    first_purge: "DELETE FROM {p}event WHERE position = ?3 AND +tenant_id = ?1 AND +stream_id = ?2 \
        RETURNING position";
    event_purge: "DELETE FROM {p}event WHERE tenant_id = ?1 AND stream_kind = 'case' \
        AND stream_id = ?2 AND is_first IS NULL RETURNING position";
    event_tail: "SELECT position, stream_kind, stream_id, n, doc FROM {p}event \
        ORDER BY position DESC LIMIT 1";
    event_place: "UPDATE {p}event SET stream_id = zeroblob(16), n = position, doc = ?3, \
        is_first = NULL \
        WHERE tenant_id = ?1 AND position = ?2";
    event_places: "DELETE FROM {p}event WHERE tenant_id = ?1 AND stream_kind = 'case' \
        AND stream_id = zeroblob(16) AND is_first IS NULL AND position < (SELECT max(position) FROM {p}event) \
        RETURNING position";
    timer_purge: "DELETE FROM {p}timer WHERE tenant_id = ?1 AND stream_kind = 'case' \
        AND stream_id = ?2";
    unique_purge: "DELETE FROM {p}unique WHERE tenant_id = ?1 AND stream_kind = 'case' \
        AND stream_id IN (WITH RECURSIVE part(at) AS (VALUES (1) UNION ALL \
        SELECT at + 16 FROM part WHERE at + 16 < length(?2)) SELECT substr(?2, at, 16) FROM part)";
    lead_get: "SELECT version, doc FROM {p}entity \
        WHERE tenant_id = zeroblob(16) AND kind = 'lead' AND id = ?1";
    lead_put: "INSERT INTO {p}entity (tenant_id, kind, id, version, doc) \
        VALUES (zeroblob(16), 'lead', ?1, ?2, ?3) ON CONFLICT (tenant_id, kind, id) \
        DO UPDATE SET version = excluded.version, doc = excluded.doc";
}
