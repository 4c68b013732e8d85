//! Microsoft identity and Graph over awc.
