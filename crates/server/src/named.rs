//! Tenants, workspaces and brands as people name them: by their id, or by their name if only one has it.

use std::fmt::Display;

use clap::Args;
use tenantry_domain::{
    BrandId, Credential, Error, Page, PageLimit, PageRequest, Sort, TenantId, Workspace, WorkspaceId, WorkspaceState,
};
use tenantry_operations::{BrandFilter, Store, TenantFilter, WorkspaceFilter, brands, tenants, workspaces};

use crate::{
    commands::tenant::{minutes, operator},
    database::with_store,
    exit::Exit,
    settings::Settings,
};

// No documentation comments here: clap would take them for the description of the command.
#[derive(Debug, Args)]
pub(crate) struct OfTenant {
    /// The tenant: its id, or its name if only one tenant has it
    #[arg(long, value_name = "TENANT")]
    pub(crate) tenant: String,
}

#[derive(Debug, Args)]
pub(crate) struct One {
    /// The tenant: its id, or its name if only one tenant has it
    #[arg(value_name = "TENANT")]
    pub(crate) tenant: String,
}

/// Which of several with the same name is meant: one that is there, or one that is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meant {
    Present,
    Deleted,
}

/// Runs work inside the tenant that is named like this.
pub(crate) fn in_tenant<T>(
    settings: &Settings,
    named: &str,
    work: impl AsyncFnOnce(&Store, &Credential) -> Result<T, Exit>,
) -> Result<T, Exit> {
    with_store(settings, async |store| work(store, &operator_in(store, named).await?).await)
}

/// The person at the command line, inside the tenant that is named like this.
pub(crate) async fn operator_in(store: &Store, named: &str) -> Result<Credential, Exit> {
    Ok(operator(Some(tenant(store, named, Meant::Present).await?))?)
}

/// The tenant that is named like this.
pub(crate) async fn tenant(store: &Store, named: &str, meant: Meant) -> Result<TenantId, Exit> {
    if let Ok(id) = named.parse() {
        return Ok(id);
    }
    let operator = operator(None)?;
    let filter = TenantFilter { search: Some(named.trim().to_owned()), ..TenantFilter::default() };
    let found = all(async |page| tenants::list(store, &operator, filter.clone(), page).await).await?;
    let candidates = found.into_iter().map(|tenant| Candidate {
        id: tenant.id,
        name: tenant.details.name.as_str().to_owned(),
        other_name: None,
        note: tenant.state().to_string(),
        meant: tenant.deleted_at.is_some() == (meant == Meant::Deleted),
    });
    choose("tenant", named, "tenantry tenant list", candidates)
}

/// The workspace that is named like this in the operator's tenant.
pub(crate) async fn workspace(store: &Store, operator: &Credential, named: &str) -> Result<WorkspaceId, Exit> {
    if let Ok(id) = named.parse() {
        return Ok(id);
    }
    let filter = WorkspaceFilter { search: Some(named.trim().to_owned()), ..WorkspaceFilter::default() };
    let found = all(async |page| workspaces::list(store, operator, filter.clone(), page).await).await?;
    let candidates = found.into_iter().map(|workspace| Candidate {
        id: workspace.id,
        name: workspace.details.name.as_str().to_owned(),
        other_name: None,
        note: format!("brand {}", workspace.details.brand_id),
        meant: true,
    });
    choose("workspace", named, "tenantry workspace list", candidates)
}

/// The deleted workspace that is named like this. An id may also be that of one that is not deleted.
pub(crate) async fn deleted_workspace(store: &Store, operator: &Credential, named: &str) -> Result<WorkspaceId, Exit> {
    if let Ok(id) = named.parse() {
        return Ok(id);
    }
    let candidates = deleted_workspaces(store, operator).await?.into_iter().map(|workspace| Candidate {
        id: workspace.id,
        name: workspace.details.name.as_str().to_owned(),
        other_name: None,
        note: workspace.deleted_at.map(|at| format!("deleted {}", minutes(at))).unwrap_or_default(),
        meant: true,
    });
    choose("deleted workspace", named, "tenantry workspace list --deleted", candidates)
}

/// All deleted workspaces of the operator's tenant.
pub(crate) async fn deleted_workspaces(store: &Store, operator: &Credential) -> Result<Vec<Workspace>, Exit> {
    let filter = WorkspaceFilter { state: WorkspaceState::Deleted, ..WorkspaceFilter::default() };
    Ok(all(async |page| workspaces::list(store, operator, filter.clone(), page).await).await?)
}

/// The brand that is named like this in the operator's tenant; its slug is a name too.
pub(crate) async fn brand(store: &Store, operator: &Credential, named: &str) -> Result<BrandId, Exit> {
    if let Ok(id) = named.parse() {
        return Ok(id);
    }
    let found = all(async |page| brands::list(store, operator, BrandFilter::default(), page).await).await?;
    let candidates = found.into_iter().map(|brand| Candidate {
        id: brand.id,
        name: brand.details.name.as_str().to_owned(),
        note: brand.slug.as_str().to_owned(),
        other_name: Some(brand.slug.as_str().to_owned()),
        meant: true,
    });
    choose("brand", named, "tenantry brand list", candidates)
}

/// All pages of a list, oldest first.
pub(crate) async fn all<T>(mut page: impl AsyncFnMut(PageRequest) -> Result<Page<T>, Error>) -> Result<Vec<T>, Error> {
    let mut request = PageRequest { limit: PageLimit::default(), sort: Sort::default(), after: None };
    let mut items = Vec::new();
    loop {
        let found = page(request.clone()).await?;
        items.extend(found.items);
        match found.next {
            Some(next) => request.after = Some(next),
            None => return Ok(items),
        }
    }
}

struct Candidate<I> {
    id: I,
    name: String,
    other_name: Option<String>,
    note: String,
    meant: bool,
}

/// The one that is called so. What is not meant, or is written with other capitals, counts only if nothing else is called so.
fn choose<I: Copy + Display>(
    noun: &str,
    named: &str,
    list: &str,
    candidates: impl Iterator<Item = Candidate<I>>,
) -> Result<I, Exit> {
    let wanted = named.trim();
    let is_called = |candidate: &Candidate<I>, same: fn(&str, &str) -> bool| {
        same(&candidate.name, wanted) || candidate.other_name.as_deref().is_some_and(|name| same(name, wanted))
    };
    let mut found: Vec<_> =
        candidates.filter(|it| is_called(it, |a, b| a.to_lowercase() == b.to_lowercase())).collect();
    prefer(&mut found, |it| it.meant);
    prefer(&mut found, |it| is_called(it, |a, b| a == b));
    match found.as_slice() {
        [one] => Ok(one.id),
        [] => Err(Exit::not_found(format!(
            "there is no {noun} with the id or name \"{wanted}\"; list them with `{list}`"
        ))),
        several => {
            let lines: String = several.iter().map(|it| format!("\n  {}  {}", it.id, it.note)).collect();
            Err(Exit::conflict(format!(
                "{} {noun}s are called \"{wanted}\": use the id of the one you mean{lines}",
                several.len()
            )))
        }
    }
}

fn prefer<T>(found: &mut Vec<T>, better: impl Fn(&T) -> bool) {
    if found.iter().any(&better) {
        found.retain(better);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(named: &str, all: &[(u8, &str, bool)]) -> Result<u8, Exit> {
        let candidate = |(id, name, meant): &(u8, &str, bool)| Candidate {
            id: *id,
            name: (*name).to_owned(),
            other_name: Some(format!("slug-{id}")),
            note: "active".to_owned(),
            meant: *meant,
        };
        choose("tenant", named, "tenantry tenant list", all.iter().map(candidate))
    }

    #[test]
    fn a_name_means_the_only_one_that_fits_best() {
        let all = [(1, "Acme", true), (2, "acme", true), (3, "Beta", false), (4, "Beta", true), (5, "Gamma", false)];
        for (named, id) in [("Acme", 1), ("acme", 2), (" Acme ", 1), ("beta", 4), ("GAMMA", 5), ("slug-3", 3)] {
            assert_eq!(chosen(named, &all).ok(), Some(id), "{named}");
        }
        let several = chosen("ACME", &all).unwrap_err();
        assert!(several.code == 4 && several.message.contains("2 tenants are called \"ACME\""), "{several:?}");
        assert!(several.message.contains("\n  1  active\n  2  active"), "{several:?}");
        assert_eq!((chosen("Acm", &all).unwrap_err().code, chosen("", &all).unwrap_err().code), (3, 3));
    }
}
