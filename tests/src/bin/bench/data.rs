//! Data sets of any size, made up row by row and loaded by COPY as the superuser, whom row security does not bind. Triggers work as for
//! anybody.

use std::{
    io::{BufWriter, Write},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use tenantry_domain::{ApiKeyDetails, KeyMode, Role, TenantId};
use tenantry_tests::{App, People, TestDatabase, lines};
use uuid::Uuid;

use crate::asked::{Caller, unknown_key};

/// How many workspaces, in how many tenants. The first tenant has a tenth of them, and the others share the rest evenly.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Set {
    pub(crate) workspaces: u64,
    pub(crate) tenants: u64,
}

/// What was loaded.
pub(crate) struct Loaded {
    /// Each in another tenant, as far as there are so many.
    pub(crate) callers: Vec<Caller>,
    /// All in the first tenant.
    pub(crate) of_largest: Vec<Caller>,
    pub(crate) took: Duration,
    /// Of the database, in bytes.
    pub(crate) size: f64,
}

/// How many callers there are of each kind.
pub(crate) const CALLERS: u64 = 256;

/// How many workspaces of each tenant are found by its word.
const HITS: u64 = 10;

/// How many workspaces a transaction loads.
const CHUNK: u64 = 250_000;

/// 1 January 2025; a workspace comes every millisecond.
const BEGIN: u64 = 1_735_689_600_000;

impl Set {
    fn largest(self) -> u64 {
        if self.tenants == 1 { self.workspaces } else { self.workspaces.div_ceil(10) }
    }

    /// How many workspaces this tenant has.
    pub(crate) fn of(self, tenant: u64) -> u64 {
        if tenant == 0 {
            return self.largest();
        }
        let (others, tenants) = (self.workspaces - self.largest(), self.tenants - 1);
        others / tenants + u64::from(tenant - 1 < others % tenants)
    }

    /// The tenant of a workspace, and its number there. Those of all tenants are mixed, as time mixes them.
    fn place(self, workspace: u64) -> (u64, u64) {
        if self.tenants == 1 {
            return (0, workspace + 1);
        }
        if workspace.is_multiple_of(10) {
            return (0, workspace / 10 + 1);
        }
        let other = workspace - workspace / 10 - 1;
        (1 + other % (self.tenants - 1), other / (self.tenants - 1) + 1)
    }

    /// The inverse of [`Set::place`].
    fn workspace(self, tenant: u64, number: u64) -> u64 {
        match (self.tenants, tenant) {
            (1, _) => number - 1,
            (_, 0) => (number - 1) * 10,
            _ => {
                let other = (number - 1) * (self.tenants - 1) + tenant - 1;
                other + other / 9 + 1
            }
        }
    }

    fn name(self, tenant: u64, number: u64) -> String {
        const PLACES: [&str; 12] = [
            "Amsterdam",
            "Barcelona",
            "Copenhagen",
            "Dublin",
            "Edinburgh",
            "Florence",
            "Geneva",
            "Hamburg",
            "Innsbruck",
            "Krakow",
            "Lisbon",
            "Munich",
        ];
        const TRADES: [&str; 7] = ["Sales", "Support", "Logistics", "Retail", "Energy", "Travel", "Finance"];
        let every = (self.of(tenant) / HITS).max(1);
        let place = if (number - 1).is_multiple_of(every) && (number - 1) / every < HITS {
            word(tenant)
        } else {
            PLACES[number as usize % PLACES.len()].to_owned()
        };
        format!("{place} {} {number}", TRADES[(tenant + number) as usize % TRADES.len()])
    }
}

/// The word of a tenant, which it shares with one in two hundred others.
fn word(tenant: u64) -> String {
    const STARTS: [&str; 20] = [
        "North", "South", "East", "West", "Upper", "Lower", "Great", "Little", "Long", "Broad", "High", "Deep", "Fair",
        "Clear", "Bright", "Stone", "Silver", "Golden", "Winter", "Summer",
    ];
    const ENDS: [&str; 10] = ["haven", "gate", "bridge", "field", "wood", "ford", "mill", "harbour", "brook", "ridge"];
    let at = tenant as usize % (STARTS.len() * ENDS.len());
    format!("{}{}", STARTS[at % STARTS.len()], ENDS[at / STARTS.len()])
}

/// What an id belongs to.
#[derive(Clone, Copy)]
enum Kind {
    Tenant = 1,
    Brand,
    Workspace,
    Member,
    Key,
}

/// A UUID of version 7: the ids of a kind are in the order of time.
fn id(kind: Kind, number: u64) -> Uuid {
    let random = (kind as u128) << 56 | u128::from(number);
    Uuid::from_u128(u128::from(BEGIN + number) << 80 | 0x7000 << 64 | 0b10 << 62 | random)
}

fn tenant_id(tenant: u64) -> TenantId {
    TenantId::from_uuid(id(Kind::Tenant, tenant))
}

fn time(number: u64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis((BEGIN + number) as i64).unwrap_or_default()
}

/// A COPY that goes on.
struct Copy {
    psql: Child,
    rows: BufWriter<ChildStdin>,
}

impl Copy {
    fn into(database: &TestDatabase, table: &str) -> Self {
        let mut command = Command::new(of_postgres("psql"));
        command.args(["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--dbname", &database.admin_url()]);
        command.arg("--command").arg(format!("COPY {table} FROM STDIN")).stdin(Stdio::piped());
        let mut psql = command.spawn().unwrap();
        let rows = BufWriter::with_capacity(1 << 20, psql.stdin.take().unwrap());
        Self { psql, rows }
    }

    fn row(&mut self, row: std::fmt::Arguments<'_>) {
        self.rows.write_fmt(row).unwrap();
        self.rows.write_all(b"\n").unwrap();
    }

    fn end(self) {
        let Self { mut psql, rows } = self;
        drop(rows);
        assert!(psql.wait().unwrap().success(), "psql failed; its errors stand above");
    }
}

/// Says in each tenant and each brand how many rows it has.
pub(crate) const COUNT: &str = "
    UPDATE tenants SET workspace_count = counted.number
    FROM (SELECT tenant_id, count(*) AS number FROM workspaces GROUP BY tenant_id) AS counted
    WHERE tenants.id = counted.tenant_id;
    UPDATE tenants SET member_count = counted.number
    FROM (SELECT tenant_id, count(*) AS number FROM members GROUP BY tenant_id) AS counted
    WHERE tenants.id = counted.tenant_id;
    UPDATE brands SET workspace_count = counted.number
    FROM (SELECT tenant_id, brand_id, count(*) AS number FROM workspaces GROUP BY tenant_id, brand_id) AS counted
    WHERE (brands.tenant_id, brands.id) = (counted.tenant_id, counted.brand_id)";

/// A program of PostgreSQL. Debian does not have all of them on the path.
pub(crate) fn of_postgres(name: &str) -> PathBuf {
    let bindir = Command::new("pg_config").arg("--bindir").output().unwrap();
    PathBuf::from(String::from_utf8_lossy(&bindir.stdout).trim()).join(name)
}

/// Loads a data set into an empty database.
pub(crate) fn load(app: &App, set: Set) -> Loaded {
    let began = Instant::now();
    tenants(&app.database, set);
    workspaces(&app.database, set);
    // The first tenants have the largest one among them.
    let ordinary = |at: u64| if set.tenants == 1 { 0 } else { 1 + at * (set.tenants - 1) / CALLERS };
    let places: Vec<_> = (0..CALLERS).map(ordinary).chain((0..CALLERS).map(|_| 0)).collect();
    let mut callers = callers(app, set, &places);
    let of_largest = callers.split_off(CALLERS as usize);
    let mut admin = app.database.admin();
    // Whoever writes rows counts them.
    admin.batch_execute(COUNT).unwrap();
    // So that nothing of this is done while somebody measures.
    admin.batch_execute("VACUUM ANALYZE").unwrap();
    admin.batch_execute("CHECKPOINT").unwrap();
    let size = lines(&mut admin, "SELECT pg_database_size(current_database())::text AS line").remove(0);
    Loaded { callers, of_largest, took: began.elapsed(), size: size.parse().unwrap() }
}

fn tenants(database: &TestDatabase, set: Set) {
    let mut rows = Copy::into(
        database,
        "tenants (id, name, default_country, default_operating_language, default_currency, default_workspace_type,
             created_at, updated_at, max_workspaces, last_workspace_number)",
    );
    for tenant in 0..set.tenants {
        let (id, at, last) = (tenant_id(tenant), time(tenant), set.of(tenant));
        rows.row(format_args!("{id}\tTenant {tenant}\tDE\tde\tEUR\tb2b\t{at}\t{at}\t1000000\t{last}"));
    }
    rows.end();
    let mut rows = Copy::into(database, "brands (tenant_id, id, name, slug, is_default, email_from_name)");
    for tenant in 0..set.tenants {
        rows.row(format_args!("{}\t{}\tBrand\tbrand\tt\tBrand", tenant_id(tenant), id(Kind::Brand, tenant)));
    }
    rows.end();
    const MEMBERS: u64 = 5;
    let mut rows = Copy::into(database, "members (tenant_id, id, email, email_key, role, status, issuer, subject)");
    for (tenant, number) in (0..set.tenants).flat_map(|tenant| (0..MEMBERS).map(move |number| (tenant, number))) {
        let role = if number == 0 { Role::Owner } else { Role::Agent }.as_str();
        member(&mut rows, tenant, tenant * MEMBERS + number, &format!("Member {number}"), role);
    }
    rows.end();
}

fn member(rows: &mut Copy, tenant: u64, number: u64, subject: &str, role: &str) {
    let (of, id, email) = (tenant_id(tenant), id(Kind::Member, number), People::email(subject));
    rows.row(format_args!("{of}\t{id}\t{email}\t{email}\t{role}\tactive\t{}\t{subject}", People::ISSUER));
}

fn workspaces(database: &TestDatabase, set: Set) {
    for first in (0..set.workspaces).step_by(CHUNK as usize) {
        let mut rows = Copy::into(
            database,
            "workspaces (tenant_id, id, brand_id, name, country, operating_language, currency, workspace_type,
                 workspace_instructions, created_at, updated_at, number)",
        );
        for workspace in first..set.workspaces.min(first + CHUNK) {
            let (tenant, number) = set.place(workspace);
            rows.row(format_args!(
                "{}\t{}\t{}\t{}\tDE\tde\tEUR\tb2b\tAll prices must include VAT.\t{at}\t{at}\t{number}",
                tenant_id(tenant),
                id(Kind::Workspace, workspace),
                id(Kind::Brand, tenant),
                set.name(tenant, number),
                at = time(workspace),
            ));
        }
        rows.end();
    }
}

/// A hundred questions about as many of the tenant's workspaces, as far as it has so many.
fn questions(set: Set, tenant: u64) -> String {
    let ids = (0..100).map(|at| id(Kind::Workspace, set.workspace(tenant, 1 + at % set.of(tenant))));
    let ask = |id: Uuid| json!({ "permission": "workspace.read", "workspaceId": id.to_string() });
    Value::from_iter(ids.map(ask)).to_string()
}

/// A caller in each of these tenants, with a key and a member of their own.
fn callers(app: &App, set: Set, tenants: &[u64]) -> Vec<Caller> {
    let scopes = ApiKeyDetails::owner("Bench".parse().unwrap()).scopes;
    let scopes = scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(",");
    let mut keys = Copy::into(&app.database, "api_keys (tenant_id, id, secret_hash, name, mode, scopes, last_four)");
    let mut members =
        Copy::into(&app.database, "members (tenant_id, id, email, email_key, role, status, issuer, subject)");
    let tomorrow = json!({ "exp": Utc::now().timestamp() + 23 * 3600 });
    let mut callers = Vec::new();
    for (at, &tenant) in tenants.iter().enumerate() {
        let (of, at) = (tenant_id(tenant), at as u64);
        let key = tenantry_auth::issue(of, KeyMode::Live).unwrap();
        let hash: String = key.hash().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let key_id = id(Kind::Key, at);
        keys.row(format_args!("{of}\t{key_id}\t\\\\x{hash}\tBench\tlive\t{{{scopes}}}\t{}", key.last_four()));
        let subject = format!("Caller {at}");
        // Behind all others.
        member(&mut members, tenant, 1 << 40 | at, &subject, Role::Admin.as_str());
        let number = 1 + at * 7_919 % set.of(tenant);
        callers.push(Caller {
            key: key.reveal().to_owned(),
            token: app.people.token(&subject, Some(of), tomorrow.clone()),
            service_key: app.service().key().to_owned(),
            unknown_key: unknown_key(of),
            workspace: id(Kind::Workspace, set.workspace(tenant, number)).to_string(),
            foreign: id(Kind::Workspace, set.workspace((tenant + 1) % set.tenants, 1)).to_string(),
            word: word(tenant),
            questions: questions(set, tenant),
        });
    }
    keys.end();
    members.end();
    callers
}
