//! The light of the sign-ins.

use m365_actors::token_refresh::CredentialStatus;
use m365_presence::light::AuthenticationCode as Code;

use super::{Shown, sentence};
use crate::view::overview::Overview;

/// A detail tells so many accounts at most.
const TOLD: usize = 5;

/// Reads the light off the overview: red as soon as one sign-in fails. What only a person can mend comes before what
/// may pass by itself, and every account is told, because two persons may wait for their codes at a time.
pub(super) fn authentication(overview: &Overview) -> Shown {
    let Some(status) = &overview.token_refresh else {
        return show(Code::Starting, "the sign-ins are being restarted");
    };
    let mut failed: Vec<_> = status
        .credentials
        .iter()
        .filter(|one| has_failed(one.code))
        .collect();
    failed.sort_by_key(|one| matches!(one.code, Code::Unreachable | Code::Throttled));
    if let Some(first) = failed.first() {
        return Shown {
            green: false,
            code: first.code.as_str(),
            detail: told(&failed),
        };
    }
    if let Some(cause) = lacking_permission(overview) {
        return show(Code::ConsentRequired, &cause);
    }
    let starting = status.credentials.iter().find(|one| one.code == Code::Starting);
    if let Some(starting) = starting {
        return show(Code::Starting, &format!("{} is signing in", starting.credential));
    }
    show(
        Code::Ok,
        &format!("{} accounts are signed in", status.credentials.len()),
    )
}

fn show(code: Code, cause: &str) -> Shown {
    Shown {
        green: code == Code::Ok,
        code: code.as_str(),
        detail: sentence(cause, code.remedy()),
    }
}

fn has_failed(code: Code) -> bool {
    !matches!(code, Code::Ok | Code::Starting)
}

/// Tells the causes in order; those of the same code share its remedy.
fn told(failed: &[&CredentialStatus]) -> String {
    let mut sentences = Vec::new();
    let mut told: Vec<Code> = Vec::new();
    let shown = failed.get(..TOLD).unwrap_or(failed);
    for first in shown {
        if !told.contains(&first.code) {
            told.push(first.code);
            let alike: Vec<_> = shown.iter().filter(|one| one.code == first.code).collect();
            sentences.push(sentence(&causes(&alike), first.code.remedy()));
        }
    }
    if failed.len() > TOLD {
        sentences.push(format!("{} more accounts fail.", failed.len() - TOLD));
    }
    sentences.join(" ")
}

/// The causes of one code; accounts that fail for the same cause share it.
fn causes(alike: &[&&CredentialStatus]) -> String {
    let mut shared: Vec<(String, Vec<String>)> = Vec::new();
    for failed in alike {
        let (whose, cause) = cause(failed);
        match shared.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, accounts)) => accounts.push(whose),
            None => shared.push((cause, vec![whose])),
        }
    }
    let told = shared.into_iter().map(|(cause, accounts)| {
        let accounts = accounts.join(", ");
        if accounts.is_empty() {
            cause
        } else {
            format!("{accounts}: {cause}")
        }
    });
    told.collect::<Vec<_>>().join("; ")
}

/// Whose sign-in fails and why; the account is empty where the cause names it.
fn cause(failed: &CredentialStatus) -> (String, String) {
    let whose = failed.credential.to_string();
    let detail = failed.detail.as_str();
    let bare = match detail.split_once(": ") {
        Some((name, cause)) if name.eq_ignore_ascii_case(&whose) => cause,
        _ => detail,
    };
    let next = failed.next_attempt_at.filter(|_| is_held(failed.code));
    let next = next.map_or_else(String::new, |at| {
        format!("; the next attempt follows at {} UTC", at.format("%H:%M"))
    });
    if bare.to_lowercase().contains(&whose.to_lowercase()) {
        (String::new(), format!("{bare}{next}"))
    } else {
        (whose, format!("{bare}{next}"))
    }
}

/// Whether the next attempt is far enough to be worth its time.
fn is_held(code: Code) -> bool {
    !matches!(code, Code::Unreachable | Code::Throttled | Code::SignInRequired)
}

/// What the app is not permitted to do although it is signed in, with the permission's name in the portal.
fn lacking_permission(overview: &Overview) -> Option<String> {
    let users = overview.user_sync.as_ref().filter(|users| users.lacks_permission);
    let reads = overview
        .presence_sweep
        .as_ref()
        .filter(|reads| reads.lacks_permission);
    let writes = overview.presence_sync.as_ref();
    let refusals = [
        (
            "User.Read.All",
            users.and_then(|users| users.last_failure.as_ref()),
        ),
        (
            "Presence.Read.All",
            reads.and_then(|reads| reads.last_failure.as_ref()),
        ),
        (
            "Presence.ReadWrite.All",
            writes.and_then(|writes| writes.lacks_permission.as_ref()),
        ),
    ];
    let (permission, refusal) = refusals
        .into_iter()
        .find_map(|(permission, refusal)| Some((permission, refusal?)))?;
    Some(format!(
        "the app needs the application permission {permission}: {refusal}"
    ))
}
