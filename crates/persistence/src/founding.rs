//! Founding a tenant: what it starts with, and how its first owner comes in.

use tenantry_domain::{
    ApiKeyId, Brand, BrandId, InvitationDays, InvitationDetails, InvitationId, Labels, Limits, Maker, NewApiKey,
    NewBrand, Platform, Tenant, TenantDetails, TenantId,
};

use crate::{fault::Fault, platform::stand_in, scope::TenantScope, tx::WriteTx};

/// What a tenant starts with besides itself.
#[derive(Debug, Clone)]
pub struct Founding {
    /// The tenant.
    pub tenant: (TenantId, TenantDetails, Limits),
    /// What the platform calls it, and notes about it.
    pub labels: Labels,
    /// Its default brand.
    pub brand: (BrandId, NewBrand),
    /// How its first owner comes in.
    pub owner: FirstOwner,
}

/// How a tenant's first owner comes in.
#[derive(Debug, Clone)]
pub enum FirstOwner {
    /// With this key.
    Key(ApiKeyId, Box<NewApiKey>),
    /// By accepting this invitation within so many days.
    Invitation(InvitationId, InvitationDetails, InvitationDays),
}

impl WriteTx<'_, Platform> {
    /// Creates a tenant with its default brand and what lets its first owner in.
    pub fn found_tenant(&mut self, founding: &Founding) -> Result<(Tenant, Brand), Fault> {
        let (id, details, limits) = &founding.tenant;
        let tenant = self.insert_tenant(*id, (details, *limits), &founding.labels)?;
        // What follows is inside the new tenant, where the platform itself sees nothing.
        stand_in(self.connection, *id)?;
        let (clock, maker) = (self.clock()?, Maker::of(&self.actor));
        let mut inside = TenantScope { tenant: *id, connection: self.connection };
        let brand = inside.insert_brand(founding.brand.0, &founding.brand.1)?;
        match &founding.owner {
            FirstOwner::Key(key, new) => drop(inside.insert_api_key(*key, new, &maker)?),
            FirstOwner::Invitation(invitation, details, days) => {
                drop(inside.insert_invitation(*invitation, details, clock + days.duration(), &maker)?);
            }
        }
        Ok((tenant, brand))
    }
}
