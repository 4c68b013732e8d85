//! Which release this is; the build script finds it out.

/// Version of the program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Commit that it was built from, in twelve digits; empty where the build did not know.
pub const COMMIT: &str = env!("M365_CONNECTOR_COMMIT");

/// Both, for people.
pub const RELEASE: &str = env!("M365_CONNECTOR_RELEASE");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_names_the_version_and_the_commit_where_it_is_known() {
        let told = match COMMIT {
            "" => VERSION.to_owned(),
            commit => format!("{VERSION} ({commit})"),
        };
        assert_eq!(RELEASE, told);
    }
}
