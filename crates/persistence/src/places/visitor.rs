//! The visitor: a credential as the look-up takes it, and what the tenant knows of it.

use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryResult,
    deserialize::{self, FromSql, FromSqlRow},
    dsl::now,
    pg::{Pg, PgValue},
    prelude::*,
    sql_types::{Array, Text, Timestamptz},
};
use tenantry_domain::{
    ApiKeyId, BrandId, Credential, Grant, Holder, KeyScope, Limits, MemberId, MemberStatus, Reach, RequestRate, Role,
    TenantId, WorkspaceId,
};
use uuid::Uuid;

use crate::{
    fault::{Fault, stored},
    schema::{api_keys, members, tenants},
    scope::TenantScope,
    tenants::stored_requests,
};

/// A credential as the look-up takes it: at most one of key and person.
#[doc(hidden)]
#[derive(PartialEq, Eq)]
pub struct Visitor {
    pub(crate) tenant: Uuid,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) issuer: Option<String>,
    pub(crate) subject: Option<String>,
}

impl Visitor {
    pub(crate) fn of(credential: &Credential) -> Self {
        let tenant = credential.tenant().map_or(Uuid::nil(), TenantId::uuid);
        let nobody = Self::nobody(tenant);
        match &credential.holder {
            Holder::ApiKey { hash, .. } => Self { key: Some(hash.as_bytes().to_vec()), ..nobody },
            Holder::Member { person, .. } => Self {
                issuer: Some(person.issuer.as_str().to_owned()),
                subject: Some(person.subject.as_str().to_owned()),
                ..nobody
            },
            Holder::Platform { .. } | Holder::Operator { .. } | Holder::Job { .. } => nobody,
        }
    }

    /// Who comes to this tenant with nothing that it could know.
    pub(crate) fn nobody(tenant: Uuid) -> Self {
        Self { tenant, key: None, issuer: None, subject: None }
    }

    pub(super) fn tenant_id(&self) -> TenantId {
        TenantId::from_uuid(self.tenant)
    }

    pub(super) fn is_of_a_tenant(&self) -> bool {
        self.key.is_some() || self.issuer.is_some()
    }

    /// What the tenant is asked for.
    pub(super) fn kind(&self) -> Kind {
        match (&self.key, &self.issuer, &self.subject) {
            (Some(hash), ..) => Kind::Key(hash.clone()),
            (None, Some(issuer), Some(subject)) => Kind::Person(issuer.clone(), subject.clone()),
            _ => Kind::Nobody,
        }
    }
}

/// What there is to know of a visitor: each is looked for where it can be, and nowhere else.
pub(super) enum Kind {
    /// The hash of its API key.
    Key(Vec<u8>),
    /// Its issuer and subject.
    Person(String, String),
    /// Nothing that a tenant knows.
    Nobody,
}

/// What the tenant knows of a credential, and whether the tenant itself lets anybody in.
#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = tenants, check_for_backend(Pg))]
pub(crate) struct Known {
    #[diesel(embed)]
    pub(crate) tenant: TenantRow,
    #[diesel(embed)]
    pub(crate) key: Option<KeyRow>,
    #[diesel(embed)]
    pub(crate) member: Option<MemberRow>,
}

impl Known {
    /// Who comes with nothing that a tenant could know.
    pub(super) fn nobody() -> Self {
        Self {
            tenant: TenantRow {
                suspended_at: None,
                deleted_at: None,
                frozen_at: None,
                requests_per_second: None,
                request_burst: None,
            },
            key: None,
            member: None,
        }
    }
}

#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = tenants, check_for_backend(Pg))]
pub(crate) struct TenantRow {
    suspended_at: Option<DateTime<Utc>>,
    deleted_at: Option<DateTime<Utc>>,
    frozen_at: Option<DateTime<Utc>>,
    requests_per_second: Option<i32>,
    request_burst: Option<i32>,
}

impl TenantRow {
    /// How many requests the platform lets the tenant send.
    pub(crate) fn request_rate(&self) -> Result<Option<RequestRate>, Fault> {
        let limits = Limits {
            requests_per_second: stored_requests("tenants.requests_per_second", self.requests_per_second)?,
            request_burst: stored_requests("tenants.request_burst", self.request_burst)?,
            ..Limits::default()
        };
        Ok(limits.request_rate())
    }

    pub(crate) fn is_suspended(&self) -> bool {
        self.suspended_at.is_some()
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen_at.is_some()
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.deleted_at.is_some()
    }
}

#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = members, check_for_backend(Pg))]
pub(crate) struct MemberRow {
    pub(super) id: Uuid,
    role: String,
}

impl MemberRow {
    pub(crate) fn id(&self) -> MemberId {
        MemberId::from_uuid(self.id)
    }

    pub(crate) fn role(&self) -> Result<Role, Fault> {
        stored("members.role", &self.role)
    }
}

#[derive(Clone, Queryable, Selectable)]
#[diesel(table_name = api_keys, check_for_backend(Pg))]
pub(crate) struct KeyRow {
    id: Uuid,
    scopes: Scopes,
    pub(super) brand_id: Option<Uuid>,
    pub(super) workspace_id: Option<Uuid>,
    expires_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
}

impl KeyRow {
    pub(crate) fn id(&self) -> ApiKeyId {
        ApiKeyId::from_uuid(self.id)
    }

    pub(crate) fn grant(&self) -> Grant {
        let (Scopes(scopes), reach) = (self.scopes.clone(), reach(self.brand_id, self.workspace_id));
        Grant::Scopes { scopes, reach, until: self.expires_at }
    }

    /// Whether the last use on record is more than a minute ago.
    pub(crate) fn is_stale(&self) -> bool {
        self.last_used_at.is_none_or(|at| Utc::now() - at > chrono::Duration::minutes(1))
    }
}

/// What a key carries. Each word is understood where it was received: every request by a key reads all of them.
#[derive(Clone, FromSqlRow)]
pub(crate) struct Scopes(Vec<KeyScope>);

struct Word(KeyScope);

impl FromSql<Array<Text>, Pg> for Scopes {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let words: Vec<Word> = FromSql::<Array<Text>, Pg>::from_sql(value)?;
        Ok(Self(words.into_iter().map(|Word(scope)| scope).collect()))
    }
}

impl FromSql<Text, Pg> for Word {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let scope = str::from_utf8(value.as_bytes())?.parse();
        scope.map(Self).map_err(|refusal| format!("api_keys.scopes holds a value that {refusal}").into())
    }
}

/// A key's restriction as its two columns have it.
pub(crate) fn reach(brand_id: Option<Uuid>, workspace_id: Option<Uuid>) -> Reach {
    match (workspace_id, brand_id) {
        (Some(id), _) => Reach::Workspace(WorkspaceId::from_uuid(id)),
        (None, Some(id)) => Reach::Brand(BrandId::from_uuid(id)),
        (None, None) => Reach::Tenant,
    }
}

/// Neither revoked nor expired.
#[diesel::dsl::auto_type]
fn is_good() -> _ {
    api_keys::revoked_at.is_null().and(
        api_keys::expires_at.is_null().or(api_keys::expires_at.assume_not_null().gt(now.into_sql::<Timestamptz>())),
    )
}

/// The start of a search by an API key: its tenant, and its key with this hash if it is good.
#[diesel::dsl::auto_type]
pub(super) fn tenant_and_key(tenant: Uuid, hash: Vec<u8>) -> _ {
    tenants::table.left_join(
        api_keys::table.on(api_keys::tenant_id.eq(tenant).and(api_keys::secret_hash.eq(hash)).and(is_good())),
    )
}

/// The start of a search by a person: the tenant, and its member that is this person if it is active.
#[diesel::dsl::auto_type]
pub(super) fn tenant_and_member(tenant: Uuid, issuer: String, subject: String) -> _ {
    let active: &'static str = MemberStatus::Active.as_str();
    tenants::table.left_join(
        members::table.on(members::tenant_id
            .eq(tenant)
            .and(members::issuer.eq(issuer))
            .and(members::subject.eq(subject))
            .and(members::status.eq(active))),
    )
}

impl TenantScope<'_> {
    /// What a key has been given, if it is neither revoked nor expired.
    pub(crate) fn grant_of_key(&mut self, id: ApiKeyId) -> Result<Option<Grant>, Fault> {
        let row = api_keys::table
            .filter(api_keys::tenant_id.eq(self.tenant.uuid()).and(api_keys::id.eq(id.uuid())))
            .filter(is_good())
            .select(KeyRow::as_select())
            .first(self.connection)
            .optional()?;
        Ok(row.as_ref().map(KeyRow::grant))
    }
}

/// What the visitor's own tenant knows of it.
pub(super) fn known(connection: &mut PgConnection, visitor: &Visitor) -> QueryResult<Option<Known>> {
    let own = tenants::id.eq(visitor.tenant);
    let tenant = TenantRow::as_select();
    match visitor.kind() {
        Kind::Key(hash) => tenant_and_key(visitor.tenant, hash)
            .filter(own)
            .select((tenant, Option::<KeyRow>::as_select()))
            .first(connection)
            .optional()
            .map(|row| row.map(|(tenant, key)| Known { tenant, key, member: None })),
        Kind::Person(issuer, subject) => tenant_and_member(visitor.tenant, issuer, subject)
            .filter(own)
            .select((tenant, Option::<MemberRow>::as_select()))
            .first(connection)
            .optional()
            .map(|row| row.map(|(tenant, member)| Known { tenant, key: None, member })),
        Kind::Nobody => tenants::table
            .filter(own)
            .select(tenant)
            .first(connection)
            .optional()
            .map(|row| row.map(|tenant| Known { tenant, key: None, member: None })),
    }
}
