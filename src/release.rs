//! Which release this is; the build script finds it out.

/// Version of the program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Commit that it was built from, in twelve digits; empty where the build did not know.
pub const COMMIT: &str = env!("M365_CONNECTOR_COMMIT");

/// The number under which the PBX's clients load pages: another one with every release, so that none shows the page of an
/// older one. Hexadecimal digits of version and commit (pbx.md 1.7).
pub const BUILD: &str = env!("M365_CONNECTOR_BUILD");

/// Both, for people.
pub const RELEASE: &str = env!("M365_CONNECTOR_RELEASE");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_build_number_is_hexadecimal_and_another_one_for_each_version_and_commit() {
        assert!(BUILD.bytes().all(|byte| byte.is_ascii_hexdigit()), "{BUILD}");
        let numbers = VERSION.split(['-', '+']).next().unwrap().split('.');
        let version: String = numbers
            .map(|number| format!("{:02x}", number.parse::<u64>().unwrap()))
            .collect();
        let commit = BUILD.strip_prefix(&version).expect("the version comes first");
        assert!(commit.eq_ignore_ascii_case(COMMIT) || !COMMIT.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }

    #[test]
    fn the_release_names_the_version_and_the_commit_where_it_is_known() {
        let told = match COMMIT {
            "" => VERSION.to_owned(),
            commit => format!("{VERSION} ({commit})"),
        };
        assert_eq!(RELEASE, told);
    }
}
