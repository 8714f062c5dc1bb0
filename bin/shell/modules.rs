//! Finds the modules of `import`: files, relative to the importing file.

use std::path::Path;
use std::rc::Rc;

use flotilla_messages::case::normalize;
use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::module::Declared;
use rquickjs::{Ctx, Module, Result};

use super::host::{self, Host, Phase};

/// Resolves specifiers: each is a path, relative to the directory of the file that imports. As in d8, `x.mjs`
/// means the same as `./x.mjs`.
#[derive(Clone)]
pub(super) struct Files(pub(super) Rc<Host>);

impl Resolver for Files {
    fn resolve<'js>(
        &mut self,
        _ctx: &Ctx<'js>,
        importer: &str,
        specifier: &str,
        _attributes: Option<ImportAttributes<'js>>,
    ) -> Result<String> {
        // If a module imports another one, it has been parsed.
        if self.0.phase.get() == Phase::Parse {
            self.0.phase.set(Phase::Resolution);
        }
        let directory = Path::new(importer).parent().unwrap_or(Path::new(""));
        Ok(name(&directory.join(specifier)))
    }
}

impl Loader for Files {
    fn load<'js>(
        &mut self,
        ctx: &Ctx<'js>,
        name: &str,
        _attributes: Option<ImportAttributes<'js>>,
    ) -> Result<Module<'js, Declared>> {
        match host::read_source(Path::new(name)) {
            Ok(source) => declare(ctx, name, source),
            Err(error) => Err(host::throw(ctx, &format!("Error reading module from {name}: {error}"))),
        }
    }
}

/// Compiles a module; `name` is its absolute path, which is also its `import.meta.url`.
pub(super) fn declare<'js>(ctx: &Ctx<'js>, name: &str, source: String) -> Result<Module<'js, Declared>> {
    host::refuse_nul(ctx, &source)?;
    let module = Module::declare(ctx.clone(), name, source)?;
    module.meta()?.set("url", name)?;
    Ok(module)
}

/// The name of the module in this file. It is the same for all specifiers of the file, so that it is loaded once.
pub(super) fn name(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    normalize(&absolute).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_absolute_and_without_dots() {
        assert_eq!(name(Path::new("/a/b/../c/./d.mjs")), "/a/c/d.mjs");
        let relative = name(Path::new("x.mjs"));
        assert!(Path::new(&relative).is_absolute() && relative.ends_with("/x.mjs"), "{relative}");
    }
}
