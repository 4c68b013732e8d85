//! Forms, encoded so that every password arrives as it was typed (graph.md 1.3).

use m365_presence::secret::Secret;

use crate::endpoints::segment;

/// A form under construction. It is kept encoded in a [`Secret`], because it may hold a password.
#[derive(Clone, Default)]
pub(crate) struct Form(Secret);

impl Form {
    /// Begins the form of a grant.
    pub(crate) fn new(grant_type: &str) -> Self {
        Self::default().with("grant_type", grant_type)
    }

    /// Adds a field; nothing is trimmed.
    pub(crate) fn with(self, name: &str, value: &str) -> Self {
        let separator = if self.0.is_empty() { "" } else { "&" };
        Self(Secret::new(format!(
            "{}{separator}{name}={}",
            self.0.expose(),
            segment(value)
        )))
    }

    /// Adds a field that may be absent.
    pub(crate) fn with_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The encoded form.
    pub(crate) fn into_secret(self) -> Secret {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_of_a_password_survives_both_ways_of_decoding() {
        for password in [
            "p&ä*(+ ) %='!~#\";<>",
            " leading and trailing ",
            "",
            "\u{0}\u{1f600}+%2B",
        ] {
            let form = Form::new("password").with("password", password).into_secret();
            let encoded = form.expose().split_once("&password=").unwrap().1;
            assert!(
                encoded
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"%-._~".contains(&byte))
            );
            let decoded: Vec<_> = url::form_urlencoded::parse(form.expose().as_bytes()).collect();
            assert_eq!(decoded[1], ("password".into(), password.into()));
        }
    }
}
