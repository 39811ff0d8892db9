//! What emails say, in the languages that they are written in. The structure is the same in all of them; this is only the words.

mod webhook;

use chrono::{DateTime, Datelike, Utc};
use tenantry_domain::{LanguageCode, Role};

use self::webhook::WebhookWords;

/// The words of one language. What stands in braces is put in; each name is put in once, and what a name contains is not read again.
pub(super) struct Language {
    /// ISO 639-1.
    pub(super) code: &'static str,
    /// Of an email by somebody: `{inviter}`, `{tenant}`.
    pub(super) subject_by: &'static str,
    /// Of an email by the tenant itself: `{tenant}`.
    pub(super) subject: &'static str,
    pub(super) hello: &'static str,
    /// `{inviter}`, `{tenant}`, `{role}`.
    pub(super) invited_by: &'static str,
    /// `{tenant}`, `{role}`.
    pub(super) invited: &'static str,
    pub(super) workspaces: &'static str,
    /// `{count}`.
    pub(super) more: &'static str,
    pub(super) button: &'static str,
    pub(super) open: &'static str,
    pub(super) or_open: &'static str,
    /// `{time}`.
    pub(super) expires: &'static str,
    pub(super) ignore: &'static str,
    roles: [&'static str; 5],
    /// `{weekday}`, `{day}`, `{month}`, `{year}`, `{time}`.
    date: &'static str,
    months: [&'static str; 12],
    pub(super) webhook: &'static WebhookWords,
}

impl Language {
    /// English, for a language that there are no words of.
    pub(super) fn of(code: LanguageCode) -> &'static Self {
        LANGUAGES.into_iter().find(|language| language.code == code.as_str()).unwrap_or(&ENGLISH)
    }

    pub(super) fn role(&self, role: Role) -> &'static str {
        let [owner, admin, billing, agent, observer] = self.roles;
        match role {
            Role::Owner => owner,
            Role::Admin => admin,
            Role::Billing => billing,
            Role::Agent => agent,
            Role::Observer => observer,
        }
    }

    pub(super) fn time(&self, at: DateTime<Utc>) -> String {
        let (day, year, time) = (at.day().to_string(), at.year().to_string(), at.format("%H:%M").to_string());
        let month =
            usize::try_from(at.month0()).ok().and_then(|month| self.months.get(month)).copied().unwrap_or_default();
        let weekday = at.format("%A").to_string();
        let values = [("weekday", weekday.as_str()), ("day", &day), ("month", month), ("year", &year), ("time", &time)];
        text(self.date, &values)
    }
}

/// A piece of a sentence.
pub(super) struct Piece<'a> {
    /// What was put in here, if anything was.
    pub(super) name: Option<&'a str>,
    pub(super) text: &'a str,
}

/// A sentence with these values in it.
pub(super) fn filled<'a>(sentence: &'a str, values: &[(&'a str, &'a str)]) -> Vec<Piece<'a>> {
    let (mut pieces, mut rest) = (Vec::new(), sentence);
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        pieces.push(Piece { name: None, text: before });
        let value = values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value);
        pieces.push(Piece { name: Some(name), text: value });
        rest = after;
    }
    pieces.push(Piece { name: None, text: rest });
    pieces
}

/// A sentence with these values in it, as text.
pub(super) fn text(sentence: &str, values: &[(&str, &str)]) -> String {
    filled(sentence, values).into_iter().map(|piece| piece.text).collect()
}

/// All languages.
pub(super) const LANGUAGES: [&Language; 8] =
    [&ENGLISH, &GERMAN, &FRENCH, &SPANISH, &ITALIAN, &DUTCH, &PORTUGUESE, &POLISH];

static ENGLISH: Language = Language {
    code: "en",
    subject_by: "{inviter} invites you to {tenant}",
    subject: "You are invited to {tenant}",
    hello: "Hello,",
    invited_by: "{inviter} invites you to join {tenant} as {role}.",
    invited: "You are invited to join {tenant} as {role}.",
    workspaces: "You will work in:",
    more: "and {count} more",
    button: "Accept the invitation",
    open: "To accept the invitation, open this link:",
    or_open: "Or open this link:",
    expires: "The link works once and expires on {time}.",
    ignore: "If you did not expect this invitation, you can ignore this email.",
    roles: ["an owner", "an admin", "a billing contact", "an agent", "an observer"],
    date: "{weekday}, {day} {month} {year}, at {time} UTC",
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    webhook: &webhook::ENGLISH,
};

static GERMAN: Language = Language {
    code: "de",
    subject_by: "{inviter} lädt Sie zu {tenant} ein",
    subject: "Einladung zu {tenant}",
    hello: "Guten Tag,",
    invited_by: "{inviter} lädt Sie zu {tenant} ein. Ihre Rolle: {role}.",
    invited: "Sie sind zu {tenant} eingeladen. Ihre Rolle: {role}.",
    workspaces: "Sie arbeiten dann in:",
    more: "und {count} weiteren",
    button: "Einladung annehmen",
    open: "Um die Einladung anzunehmen, öffnen Sie diesen Link:",
    or_open: "Oder öffnen Sie diesen Link:",
    expires: "Der Link funktioniert einmal und ist bis {time} gültig.",
    ignore: "Wenn Sie diese Einladung nicht erwartet haben, können Sie diese E-Mail ignorieren.",
    roles: ["Inhaber/in", "Administrator/in", "Abrechnung", "Agent/in", "Beobachter/in"],
    date: "{day}. {month} {year}, {time} Uhr (UTC)",
    months: [
        "Januar",
        "Februar",
        "März",
        "April",
        "Mai",
        "Juni",
        "Juli",
        "August",
        "September",
        "Oktober",
        "November",
        "Dezember",
    ],
    webhook: &webhook::GERMAN,
};

static FRENCH: Language = Language {
    code: "fr",
    subject_by: "{inviter} vous invite à rejoindre {tenant}",
    subject: "Invitation à rejoindre {tenant}",
    hello: "Bonjour,",
    invited_by: "{inviter} vous invite à rejoindre {tenant}. Votre rôle : {role}.",
    invited: "Vous êtes invité(e) à rejoindre {tenant}. Votre rôle : {role}.",
    workspaces: "Vous travaillerez dans :",
    more: "et {count} autres",
    button: "Accepter l’invitation",
    open: "Pour accepter l’invitation, ouvrez ce lien :",
    or_open: "Ou ouvrez ce lien :",
    expires: "Le lien fonctionne une seule fois et expire le {time}.",
    ignore: "Si vous n’attendiez pas cette invitation, vous pouvez ignorer cet e-mail.",
    roles: ["propriétaire", "administration", "facturation", "agent", "observation"],
    date: "{day} {month} {year} à {time} UTC",
    months: [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    webhook: &webhook::FRENCH,
};

static SPANISH: Language = Language {
    code: "es",
    subject_by: "{inviter} le invita a {tenant}",
    subject: "Invitación a {tenant}",
    hello: "Hola:",
    invited_by: "{inviter} le invita a unirse a {tenant}. Su rol: {role}.",
    invited: "Ha recibido una invitación para unirse a {tenant}. Su rol: {role}.",
    workspaces: "Trabajará en:",
    more: "y {count} más",
    button: "Aceptar la invitación",
    open: "Para aceptar la invitación, abra este enlace:",
    or_open: "O abra este enlace:",
    expires: "El enlace funciona una sola vez y caduca el {time}.",
    ignore: "Si no esperaba esta invitación, puede ignorar este correo.",
    roles: ["propiedad", "administración", "facturación", "agente", "observación"],
    date: "{day} de {month} de {year} a las {time} UTC",
    months: [
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "septiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ],
    webhook: &webhook::SPANISH,
};

static ITALIAN: Language = Language {
    code: "it",
    subject_by: "{inviter} la invita in {tenant}",
    subject: "Invito a {tenant}",
    hello: "Buongiorno,",
    invited_by: "{inviter} la invita a entrare in {tenant}. Il suo ruolo: {role}.",
    invited: "Ha ricevuto un invito a entrare in {tenant}. Il suo ruolo: {role}.",
    workspaces: "Lavorerà in:",
    more: "e altri {count}",
    button: "Accetta l’invito",
    open: "Per accettare l’invito, apra questo link:",
    or_open: "Oppure apra questo link:",
    expires: "Il link funziona una sola volta e scade il {time}.",
    ignore: "Se non si aspettava questo invito, può ignorare questa e-mail.",
    roles: ["titolare", "amministrazione", "fatturazione", "agente", "osservazione"],
    date: "{day} {month} {year} alle {time} UTC",
    months: [
        "gennaio",
        "febbraio",
        "marzo",
        "aprile",
        "maggio",
        "giugno",
        "luglio",
        "agosto",
        "settembre",
        "ottobre",
        "novembre",
        "dicembre",
    ],
    webhook: &webhook::ITALIAN,
};

static DUTCH: Language = Language {
    code: "nl",
    subject_by: "{inviter} nodigt u uit voor {tenant}",
    subject: "Uitnodiging voor {tenant}",
    hello: "Hallo,",
    invited_by: "{inviter} nodigt u uit voor {tenant}. Uw rol: {role}.",
    invited: "U bent uitgenodigd voor {tenant}. Uw rol: {role}.",
    workspaces: "U werkt dan in:",
    more: "en nog {count}",
    button: "Uitnodiging accepteren",
    open: "Open deze link om de uitnodiging te accepteren:",
    or_open: "Of open deze link:",
    expires: "De link werkt één keer en verloopt op {time}.",
    ignore: "Als u deze uitnodiging niet verwachtte, kunt u deze e-mail negeren.",
    roles: ["eigenaar", "beheerder", "facturering", "agent", "waarnemer"],
    date: "{day} {month} {year} om {time} UTC",
    months: [
        "januari",
        "februari",
        "maart",
        "april",
        "mei",
        "juni",
        "juli",
        "augustus",
        "september",
        "oktober",
        "november",
        "december",
    ],
    webhook: &webhook::DUTCH,
};

static PORTUGUESE: Language = Language {
    code: "pt",
    subject_by: "{inviter} convida você para {tenant}",
    subject: "Convite para {tenant}",
    hello: "Olá,",
    invited_by: "{inviter} convida você a participar de {tenant}. Sua função: {role}.",
    invited: "Você recebeu um convite para participar de {tenant}. Sua função: {role}.",
    workspaces: "Você trabalhará em:",
    more: "e mais {count}",
    button: "Aceitar o convite",
    open: "Para aceitar o convite, abra este link:",
    or_open: "Ou abra este link:",
    expires: "O link funciona uma única vez e expira em {time}.",
    ignore: "Se você não esperava este convite, pode ignorar este e-mail.",
    roles: ["titular", "administração", "faturamento", "agente", "observação"],
    date: "{day} de {month} de {year} às {time} UTC",
    months: [
        "janeiro",
        "fevereiro",
        "março",
        "abril",
        "maio",
        "junho",
        "julho",
        "agosto",
        "setembro",
        "outubro",
        "novembro",
        "dezembro",
    ],
    webhook: &webhook::PORTUGUESE,
};

static POLISH: Language = Language {
    code: "pl",
    subject_by: "{inviter} zaprasza do {tenant}",
    subject: "Zaproszenie do {tenant}",
    hello: "Dzień dobry,",
    invited_by: "{inviter} zaprasza do {tenant}. Rola: {role}.",
    invited: "Zapraszamy do {tenant}. Rola: {role}.",
    workspaces: "Obszary robocze:",
    more: "i jeszcze {count}",
    button: "Przyjmij zaproszenie",
    open: "Aby przyjąć zaproszenie, otwórz ten link:",
    or_open: "Lub otwórz ten link:",
    expires: "Link działa jeden raz i wygasa {time}.",
    ignore: "Jeśli to zaproszenie jest niespodziewane, tę wiadomość można zignorować.",
    roles: ["właściciel", "administrator", "rozliczenia", "agent", "obserwator"],
    date: "{day} {month} {year} o {time} UTC",
    months: [
        "stycznia",
        "lutego",
        "marca",
        "kwietnia",
        "maja",
        "czerwca",
        "lipca",
        "sierpnia",
        "września",
        "października",
        "listopada",
        "grudnia",
    ],
    webhook: &webhook::POLISH,
};

#[cfg(test)]
mod tests {
    use tenantry_domain::Choice;

    use super::*;

    #[test]
    fn every_language_says_everything() {
        for language in LANGUAGES {
            let sentences = [
                (language.subject_by, &["inviter", "tenant"][..]),
                (language.subject, &["tenant"]),
                (language.invited_by, &["inviter", "tenant", "role"]),
                (language.invited, &["tenant", "role"]),
                (language.more, &["count"]),
                (language.expires, &["time"]),
                (language.hello, &[]),
                (language.workspaces, &[]),
                (language.button, &[]),
                (language.open, &[]),
                (language.or_open, &[]),
                (language.ignore, &[]),
            ];
            for (sentence, names) in sentences.into_iter().chain(language.webhook.sentences()) {
                let found: Vec<_> = filled(sentence, &[]).iter().filter_map(|piece| piece.name).collect();
                assert!(!sentence.is_empty() && found == names, "{}: {sentence}", language.code);
            }
            assert!(Role::ALL.iter().all(|(role, _)| !language.role(*role).is_empty()));
            let code: LanguageCode = language.code.parse().unwrap();
            assert_eq!(Language::of(code).code, language.code);
            let time = language.time("2026-12-03T14:05:59Z".parse().unwrap());
            assert!(
                time.contains("2026") && time.contains("14:05") && time.contains("UTC") && !time.contains('{'),
                "{time}"
            );
        }
        assert_eq!(Language::of("ja".parse().unwrap()).code, "en");
        assert_eq!(GERMAN.time("2026-03-03T09:05:00Z".parse().unwrap()), "3. März 2026, 09:05 Uhr (UTC)");
    }

    #[test]
    fn what_is_put_in_is_not_read_again() {
        assert_eq!(text("{a} and {b}", &[("a", "{b}"), ("b", "{a}")]), "{b} and {a}");
    }
}
