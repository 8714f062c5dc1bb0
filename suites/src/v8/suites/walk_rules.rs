//! Which files of a suite are tests.

use crate::files::walk::WalkRules;
use crate::v8::dialect::SuiteRules;
use crate::v8::runner_source::SuiteConfig;

/// The rules of a suite in a build with or without internationalization; what its `testcfg.py` says comes first.
pub fn walk_rules(rules: &SuiteRules, config: &SuiteConfig, without_i18n: bool) -> WalkRules {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let mut excluded_dirs = config.excluded_dirs.clone().unwrap_or_else(|| owned(rules.excluded_dirs));
    if without_i18n {
        excluded_dirs.extend(owned(rules.excluded_dirs_without_i18n));
    }
    WalkRules {
        extensions: owned(rules.extensions),
        excluded_files: config.excluded_files.clone().unwrap_or_else(|| owned(rules.excluded_files)),
        excluded_suffixes: owned(rules.excluded_suffixes),
        excluded_dirs,
        top_dirs: owned(rules.top_dirs),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::files::walk::walk;
    use crate::kit::for_tests::tree;
    use crate::v8::dialect::V9_2;

    fn names(root: &Path, suite: &str, config: &SuiteConfig) -> Vec<String> {
        let rules = walk_rules(V9_2.suites.find(suite).unwrap(), config, true);
        let mut names = Vec::new();
        walk(root, &rules, |_| true, |file| names.push(file.name.to_string()), &mut Vec::new());
        names
    }

    #[test]
    fn what_is_excluded_is_so_at_any_depth() {
        let root =
            tree(&["mjsunit.js", "a/mjsunit.js", "a/x.js", "resources/y.js", "z_FIXTURE.js", "intl402/i.js"]);
        let names = |suite| names(root.path(), suite, &SuiteConfig::default());
        assert_eq!(names("mjsunit"), ["z_FIXTURE", "a/x", "intl402/i", "resources/y"]);
        assert_eq!(names("webkit"), ["mjsunit", "z_FIXTURE", "a/mjsunit", "a/x", "intl402/i"]);
        assert_eq!(names("test262"), ["mjsunit", "a/mjsunit", "a/x", "resources/y"]);
    }

    #[test]
    fn what_the_suite_itself_excludes_comes_first() {
        let root = tree(&["mjsunit.js", "mine.js", "x.js", "resources/y.js"]);
        let config = SuiteConfig {
            excluded_files: Some(vec!["mine.js".into()]),
            excluded_dirs: Some(Vec::new()),
            ..SuiteConfig::default()
        };
        assert_eq!(names(root.path(), "webkit", &config), ["mjsunit", "x", "resources/y"]);
    }
}
