// @generated automatically by Diesel CLI.

diesel::table! {
    audit (id) {
        id -> BigInt,
        at -> Timestamp,
        who -> Text,
        what -> Text,
        value_before -> Nullable<Text>,
        value_after -> Nullable<Text>,
    }
}

diesel::table! {
    client_states (kind, account) {
        kind -> Text,
        account -> Text,
        client_state -> Binary,
    }
}

diesel::table! {
    ledger (pbx_user, slot) {
        pbx_user -> Text,
        slot -> Text,
        h323 -> Text,
        home -> Text,
        teams_user -> Text,
        state -> Text,
        availability -> Text,
        activity -> Text,
        stands_for -> Text,
        written_at -> Timestamp,
        until -> Nullable<Timestamp>,
        replaces -> Text,
    }
}

diesel::table! {
    license_answers (pbx_user) {
        pbx_user -> Text,
        held -> Bool,
    }
}

diesel::table! {
    meta (name) {
        name -> Text,
        value -> Binary,
    }
}

diesel::table! {
    notification_keys (id) {
        id -> Text,
        certificate -> Binary,
        private_key -> Binary,
        created_at -> Timestamp,
    }
}

diesel::table! {
    refresh_tokens (account) {
        account -> Text,
        token -> Binary,
    }
}

diesel::table! {
    settings (key) {
        key -> Text,
        value -> Binary,
    }
}

diesel::table! {
    sign_ins (credential) {
        credential -> Text,
        record -> Binary,
    }
}

diesel::table! {
    subscriptions (kind, account) {
        kind -> Text,
        account -> Text,
        id -> Text,
        users -> Text,
        expires_at -> Timestamp,
        certificate_id -> Nullable<Text>,
        notification_url -> Text,
    }
}

diesel::table! {
    timeline (pbx_user, number) {
        pbx_user -> Text,
        number -> BigInt,
        item -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    audit,
    client_states,
    ledger,
    license_answers,
    meta,
    notification_keys,
    refresh_tokens,
    settings,
    sign_ins,
    subscriptions,
    timeline,
);
