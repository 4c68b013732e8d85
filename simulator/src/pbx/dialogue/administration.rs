//! PbxAdminApi: licenses and objects, as far as a presence connector asks (reference 5 and 6).

use serde_json::{Value, json};

use super::{
    super::{
        directory::{Directory, Resident},
        entries::Entry,
        message::{Message, Request},
        outbox::Outbox,
    },
    Ground,
};

pub(super) fn serve(request: &Request, ground: &Ground<'_>, outbox: &mut Outbox) {
    let answer = match request.mt.as_str() {
        "CheckAppLic" => check_license(request, ground),
        "GetPbxLicenses" | "GetAppLics" => licenses(request, ground),
        "GetObject" => object(request, ground),
        "GetPbxConfig" => request.result().with("loc", ground.options.name.clone()),
        _ => return,
    };
    outbox.send(answer);
}

fn find<'a>(request: &Request, directory: &'a Directory) -> Option<&'a Resident> {
    if let Some(resident) = directory.get(request.text("guid")) {
        return Some(resident);
    }
    let guid = match (request.text("h323"), request.text("cn")) {
        ("", cn) => directory.by_long_name(cn),
        (h323, _) => directory.by_name(h323),
    };
    guid.and_then(|guid| directory.get(&guid))
}

fn check_license(request: &Request, ground: &Ground<'_>) -> Message {
    let wanted = request.text("lic");
    let resident = find(request, ground.directory);
    let fails = match resident {
        Some(resident) => ground.faults.license_errors.contains(&resident.user.h323),
        None => ground.faults.unknown_is_error,
    };
    if fails {
        return request.result().with("error", "license database is locked");
    }
    let licensed = resident.is_some_and(|user| ground.options.test_mode || user.is_licensed(wanted));
    match licensed {
        false if ground.faults.unlicensed_without_ok => request.result(),
        ok => request.result().with("ok", ok),
    }
}

/// Lists the installed licenses, every number as text; in test mode the list is missing.
fn licenses(request: &Request, ground: &Ground<'_>) -> Message {
    if ground.options.test_mode {
        return request.result();
    }
    let app = format!("App({})", ground.options.app());
    let users = ground.directory.residents().count();
    let used = ground
        .directory
        .residents()
        .filter(|user| user.is_licensed(&app))
        .count();
    let count = |name: &str, installed: usize, used: usize| {
        let (installed, used) = (installed.to_string(), used.to_string());
        json!({"name": name, "version": "13", "count": installed, "local": used, "slaves": "0", "used": used})
    };
    let app_license = count(&app, ground.options.installed_licenses.unwrap_or(used), used);
    let list = if request.mt == "GetAppLics" {
        json!([app_license])
    } else {
        json!([count("Port", users, users), app_license])
    };
    request.result().with("lic", list)
}

fn object(request: &Request, ground: &Ground<'_>) -> Message {
    let Some(resident) = find(request, ground.directory) else {
        return request.result().with("error", "object not found");
    };
    let user = &resident.user;
    let presence: Vec<Value> = super::presence::shown(resident, ground.options)
        .iter()
        .map(stored)
        .collect();
    let emails: Vec<Value> = user.emails.iter().map(|email| json!({"email": email})).collect();
    let licenses: Vec<Value> = resident
        .licenses
        .iter()
        .map(|name| json!({"name": name}))
        .collect();
    request
        .result()
        .with("guid", user.guid.clone())
        .with("cn", user.cn.clone())
        .with("dn", user.dn.clone())
        .with("h323", user.h323.clone())
        .with_some("e164", (!user.e164.is_empty()).then(|| user.e164.clone()))
        .with("loc", user.loc.clone())
        .with("node", "root")
        .with("emails", emails)
        .with("presence", presence)
        .with("app-lics", licenses)
}

/// Returns an entry in the short form of the object: contact, activity, note.
fn stored(entry: &Entry) -> Value {
    json!({"c": entry.contact, "a": entry.activity, "n": entry.note})
}
