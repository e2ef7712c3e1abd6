//! The groups of an index: pairs of a tenant and a language, numbered as they come.
//!
//! On disk they are lines of a file that only grows. A line is on the disk before any
//! document of its group is, so a crash leaves at most lines that nothing uses.

use helpdesk_core::id::TenantId;
use std::collections::{BTreeMap, HashMap};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The numbers of all groups.
#[derive(Debug, Clone, Default)]
pub(crate) struct Groups {
    by_tenant: HashMap<TenantId, BTreeMap<String, u32>>,
    n_groups: u32,
}

impl Groups {
    /// The groups of a tenant by language.
    pub(crate) fn of(&self, tenant: TenantId) -> impl Iterator<Item = (&str, u32)> {
        let own = self.by_tenant.get(&tenant).into_iter().flatten();
        own.map(|(language, group)| (language.as_str(), *group))
    }

    pub(crate) fn get(&self, tenant: TenantId, language: &str) -> Option<u32> {
        self.by_tenant.get(&tenant)?.get(language).copied()
    }

    /// Every language that has a group.
    pub(crate) fn languages(&self) -> impl Iterator<Item = &str> {
        self.by_tenant.values().flat_map(BTreeMap::keys).map(String::as_str)
    }

    pub(crate) fn len(&self) -> usize {
        self.n_groups as usize
    }

    fn add(&mut self, tenant: TenantId, language: &str) -> u32 {
        let group = self.n_groups;
        self.by_tenant.entry(tenant).or_default().insert(language.to_owned(), group);
        self.n_groups += 1;
        group
    }
}

/// Where the groups are kept.
#[derive(Debug)]
pub(crate) struct Registry {
    groups: Groups,
    path: Option<PathBuf>,
}

impl Registry {
    /// Groups that are forgotten with the index.
    pub(crate) fn in_memory() -> Self {
        Self { groups: Groups::default(), path: None }
    }

    /// Those of the file, if there is one. A last line that was not written whole is
    /// cut off.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        if whole < text.len() {
            OpenOptions::new().write(true).open(path)?.set_len(whole as u64)?;
        }
        let mut groups = Groups::default();
        for line in String::from_utf8_lossy(&text[..whole]).lines() {
            let parsed = line
                .split_once(' ')
                .and_then(|(tenant, language)| Some((Uuid::parse_str(tenant).ok()?, language)));
            let (tenant, language) = parsed.ok_or_else(|| {
                let message = format!("`{line}` is no group: a tenant and a language");
                io::Error::new(io::ErrorKind::InvalidData, message)
            })?;
            groups.add(TenantId(tenant), language);
        }
        Ok(Self { groups, path: Some(path.to_owned()) })
    }

    pub(crate) fn groups(&self) -> &Groups {
        &self.groups
    }

    /// The group's number; a new one is on the disk when this returns.
    pub(crate) fn group(&mut self, tenant: TenantId, language: &str) -> io::Result<u32> {
        if let Some(group) = self.groups.get(tenant, language) {
            return Ok(group);
        }
        if let Some(path) = &self.path {
            let mut file: File = OpenOptions::new().create(true).append(true).open(path)?;
            file.write_all(format!("{} {language}\n", tenant.0).as_bytes())?;
            file.sync_all()?;
        }
        Ok(self.groups.add(tenant, language))
    }
}
