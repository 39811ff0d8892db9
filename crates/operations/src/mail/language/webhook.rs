//! The words of the email about a disabled webhook.

/// The words of one language. What stands in braces is put in.
pub(in crate::mail) struct WebhookWords {
    /// `{webhook}`.
    pub(in crate::mail) subject: &'static str,
    /// For days nothing arrived: `{webhook}`, `{tenant}`, `{days}`.
    pub(in crate::mail) failing: &'static str,
    /// The receiver wants no more: `{webhook}`, `{tenant}`.
    pub(in crate::mail) gone: &'static str,
    pub(in crate::mail) stopped: &'static str,
    /// `{time}`.
    pub(in crate::mail) what_to_do: &'static str,
    /// `{id}`.
    pub(in crate::mail) which: &'static str,
}

pub(super) static ENGLISH: WebhookWords = WebhookWords {
    subject: "Webhook disabled: {webhook}",
    failing: "The webhook {webhook} of {tenant} is disabled, because nothing could be delivered for {days} days.",
    gone: "The webhook {webhook} of {tenant} is disabled, because its receiver answered 410 Gone.",
    stopped: "No more events are sent to it.",
    what_to_do: "Correct the receiver, enable the webhook again, and replay the events since {time}.",
    which: "Webhook: {id}",
};

pub(super) static GERMAN: WebhookWords = WebhookWords {
    subject: "Webhook abgeschaltet: {webhook}",
    failing: "Der Webhook {webhook} von {tenant} ist abgeschaltet, weil {days} Tage lang nichts zugestellt werden konnte.",
    gone: "Der Webhook {webhook} von {tenant} ist abgeschaltet, weil sein Empfänger mit 410 Gone geantwortet hat.",
    stopped: "Er erhält keine weiteren Ereignisse.",
    what_to_do: "Beheben Sie den Fehler beim Empfänger, schalten Sie den Webhook wieder ein und senden Sie die Ereignisse ab diesem \
                 Zeitpunkt noch einmal: {time}.",
    which: "Webhook: {id}",
};

pub(super) static FRENCH: WebhookWords = WebhookWords {
    subject: "Webhook désactivé : {webhook}",
    failing: "Le webhook {webhook} de {tenant} est désactivé, car rien n’a pu être livré pendant {days} jours.",
    gone: "Le webhook {webhook} de {tenant} est désactivé, car son destinataire a répondu 410 Gone.",
    stopped: "Il ne reçoit plus d’événements.",
    what_to_do: "Corrigez le destinataire, réactivez le webhook et renvoyez les événements depuis le {time}.",
    which: "Webhook : {id}",
};

pub(super) static SPANISH: WebhookWords = WebhookWords {
    subject: "Webhook desactivado: {webhook}",
    failing: "El webhook {webhook} de {tenant} está desactivado porque no se ha podido entregar nada durante {days} días.",
    gone: "El webhook {webhook} de {tenant} está desactivado porque su receptor respondió 410 Gone.",
    stopped: "Ya no recibe eventos.",
    what_to_do: "Corrija el receptor, vuelva a activar el webhook y reenvíe los eventos desde el {time}.",
    which: "Webhook: {id}",
};

pub(super) static ITALIAN: WebhookWords = WebhookWords {
    subject: "Webhook disattivato: {webhook}",
    failing: "Il webhook {webhook} di {tenant} è disattivato perché per {days} giorni non è stato possibile consegnare nulla.",
    gone: "Il webhook {webhook} di {tenant} è disattivato perché il suo destinatario ha risposto 410 Gone.",
    stopped: "Non riceve più eventi.",
    what_to_do: "Corregga il destinatario, riattivi il webhook e invii di nuovo gli eventi a partire da questo momento: {time}.",
    which: "Webhook: {id}",
};

pub(super) static DUTCH: WebhookWords = WebhookWords {
    subject: "Webhook uitgeschakeld: {webhook}",
    failing: "De webhook {webhook} van {tenant} is uitgeschakeld, omdat er {days} dagen lang niets kon worden afgeleverd.",
    gone: "De webhook {webhook} van {tenant} is uitgeschakeld, omdat de ontvanger 410 Gone antwoordde.",
    stopped: "Er worden geen gebeurtenissen meer naartoe gestuurd.",
    what_to_do: "Herstel de ontvanger, schakel de webhook weer in en verstuur de gebeurtenissen vanaf {time} opnieuw.",
    which: "Webhook: {id}",
};

pub(super) static PORTUGUESE: WebhookWords = WebhookWords {
    subject: "Webhook desativado: {webhook}",
    failing: "O webhook {webhook} de {tenant} foi desativado porque nada pôde ser entregue durante {days} dias.",
    gone: "O webhook {webhook} de {tenant} foi desativado porque o destinatário respondeu 410 Gone.",
    stopped: "Ele não recebe mais eventos.",
    what_to_do: "Corrija o destinatário, ative o webhook novamente e reenvie os eventos desde {time}.",
    which: "Webhook: {id}",
};

pub(super) static POLISH: WebhookWords = WebhookWords {
    subject: "Webhook wyłączony: {webhook}",
    failing: "Webhook {webhook} ({tenant}) jest wyłączony, ponieważ od {days} dni nie udało się niczego dostarczyć.",
    gone: "Webhook {webhook} ({tenant}) jest wyłączony, ponieważ jego odbiorca odpowiedział 410 Gone.",
    stopped: "Nie otrzymuje już zdarzeń.",
    what_to_do: "Napraw odbiorcę, włącz webhook ponownie i wyślij jeszcze raz zdarzenia od {time}.",
    which: "Webhook: {id}",
};

#[cfg(test)]
impl WebhookWords {
    /// Its sentences, with what is put into each.
    pub(super) fn sentences(&self) -> [(&'static str, &'static [&'static str]); 6] {
        [
            (self.subject, &["webhook"]),
            (self.failing, &["webhook", "tenant", "days"]),
            (self.gone, &["webhook", "tenant"]),
            (self.stopped, &[]),
            (self.what_to_do, &["time"]),
            (self.which, &["id"]),
        ]
    }
}
