//! Measures what it takes to ship inputs, without a network between:
//!
//! ```text
//! cargo run --release -p flotilla-actors --example inputs -- ROOT SCRATCH PATH...
//! ```
//!
//! Scans the paths below ROOT (which is only read), packs everything, puts it into a store and makes a workspace, both in
//! SCRATCH (made, and removed at the end); then updates with nothing and with one file changed. Times are wall clock.

use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use flotilla_actors::content::blobs::{BlobStore, Owner};
use flotilla_actors::content::inputs::{Packs, Selection, StatCache, Tree, scan};
use flotilla_actors::content::workspace::Workspace;
use flotilla_messages::inputs::{Digest, SurveyError, TreeLimits, survey};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(root), Some(scratch)) = (args.next(), args.next()) else {
        return Err("usage: inputs ROOT SCRATCH PATH...".into());
    };
    fs::create_dir(&scratch)?;
    let mut selection = Selection { root, chosen: args.collect(), placed: Vec::new() };
    let cache_path = scratch.join("stat-cache");
    let load = || StatCache::load(&cache_path);

    let mut cache = load();
    let tree = timed("scan, nothing known", || scan(&selection, &mut cache))?;
    timed("save the cache", || cache.save())?;
    let (counts, directories) = (tree.counts, tree.directories.len());
    println!("{} files, {} bytes, {directories} directories by content", counts.files, counts.bytes);
    let again = timed("load the cache, scan, all known", || scan(&selection, &mut load()))?;
    println!("{} files were read again", again.counts.read);

    let mut store = BlobStore::open(scratch.join("blobs"), 64 << 30)?;
    let (packs, bytes) = ship(&tree, &mut store)?;
    println!("{packs} packs, {bytes} bytes");
    let mut workspace = Workspace::open(scratch.join("workspace"))?;
    let limits = TreeLimits::default();
    timed("make the workspace", || workspace.update(tree.root, &limits, &mut store))?;

    let mut store = {
        drop(store);
        timed("open the store again", || BlobStore::open(scratch.join("blobs"), 64 << 30))?
    };
    let all = || tree.directories.keys().chain(tree.files.keys()).copied();
    timed("ask what is missing", || Ok::<_, SurveyError>(store.missing(all())))?;
    timed("update, nothing changed", || workspace.update(tree.root, &limits, &mut store))?;
    timed("the same once more", || workspace.update(tree.root, &limits, &mut store))?;

    // One more file, which the client has elsewhere.
    let source = scratch.join("one-file");
    fs::write(&source, "changed\n")?;
    let place = "flotilla-changed.js".into();
    selection.placed.push(flotilla_actors::content::inputs::Placed { source, place });
    let changed = scan(&selection, &mut load())?;
    ship(&changed, &mut store)?;
    timed("update, one file changed", || workspace.update(changed.root, &limits, &mut store))?;
    println!("{:?}", store.usage());
    drop((store, workspace));
    fs::remove_dir_all(&scratch)?;
    Ok(())
}

/// What a client and a peer do between them. Packs and their bytes.
fn ship(tree: &Tree, store: &mut BlobStore) -> Result<(usize, usize), Box<dyn Error>> {
    let found = survey(tree.root, &TreeLimits::default(), |digest: &Digest| {
        Ok::<_, SurveyError>(tree.directories.get(digest).cloned())
    })?;
    let all = tree.directories.keys().chain(found.files.keys()).copied();
    let missing = store.missing(all);
    let start = Instant::now();
    let packs = Packs::new(tree, missing)?.collect::<Result<Vec<_>, _>>()?;
    report("read and pack", start.elapsed());
    let bytes = packs.iter().map(|pack| pack.data.len()).sum();
    let start = Instant::now();
    for pack in &packs {
        store.put(Owner(0), pack, &pack.unpack()?)?;
    }
    report("unpack and store", start.elapsed());
    Ok((packs.len(), bytes))
}

fn timed<T, E>(what: &str, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let start = Instant::now();
    let result = work();
    report(what, start.elapsed());
    result
}

fn report(what: &str, took: Duration) {
    println!("{:9.1} ms  {what}", took.as_secs_f64() * 1000.0);
}
