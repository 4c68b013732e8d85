//! Settings that were changed at run time, and the record of who changed them.

use m365_presence::ports::{AuditRecord, SettingChange, SettingsStore, StoredSetting};
use m365_presence::secret::Secret;

use crate::stage::time;

fn put_setting(key: &str, value: &str) -> SettingChange {
    SettingChange::Put(StoredSetting {
        key: key.to_owned(),
        value: Secret::new(value),
    })
}

fn audited(what: &str) -> AuditRecord {
    AuditRecord {
        at: time(7),
        who: "administrator".to_owned(),
        what: what.to_owned(),
        before: None,
        after: Some("\"mail\"".to_owned()),
    }
}

pub async fn settings_are_replaced_and_removed_with_their_records(store: &dyn SettingsStore) {
    let changes = [
        put_setting("matching.pbx", "\"cn\""),
        put_setting("matching.microsoft", "1"),
        put_setting("matching.microsoft", "\"mail\""),
    ];
    store
        .change_settings(&changes, &[audited("first"), audited("second")])
        .await
        .unwrap();
    let removal = SettingChange::Remove {
        key: "matching.pbx".to_owned(),
    };
    store
        .change_settings(&[removal], &[audited("third")])
        .await
        .unwrap();

    let settings = store.settings().await.unwrap();
    assert_eq!(settings.len(), 1);
    assert_eq!(
        (settings[0].key.as_str(), settings[0].value.expose()),
        ("matching.microsoft", "\"mail\"")
    );

    let newest = store.audit(None, 2).await.unwrap();
    let told: Vec<_> = newest
        .iter()
        .map(|numbered| (numbered.id, numbered.record.what.as_str()))
        .collect();
    assert_eq!(told, [(3, "third"), (2, "second")]);
    let older = store.audit(Some(2), 10).await.unwrap();
    assert_eq!(older.len(), 1);
    assert_eq!(older[0].record, audited("first"));
}

pub async fn old_records_of_the_audit_are_forgotten(store: &dyn SettingsStore) {
    let many: Vec<_> = (0..9_999).map(|number| audited(&number.to_string())).collect();
    store.change_settings(&[], &many).await.unwrap();
    store
        .change_settings(&[], &[audited("new"), audited("newest")])
        .await
        .unwrap();
    let kept = store.audit(None, 20_000).await.unwrap();
    assert_eq!(kept.len(), 10_000);
    assert_eq!(kept[0].record.what, "newest");
}
