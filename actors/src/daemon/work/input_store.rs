//! The inputs of clients on this machine's disk: all that blocks, on a thread of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use actix::{Actor, Handler, Message, SyncContext};
use flotilla_messages::Fingerprint;
use flotilla_messages::inputs::{
    Digest, LARGEST_DIRECTORY, Pack, PackPart, Packer, Survey as Tree, SurveyError, TreeLimits, Unpacked,
    survey,
};

use crate::content::blobs::{BlobError, BlobStore, Owner, Piece, PinId};
use crate::content::workspace::{Laying, Workspace, WorkspaceError};

/// The most workspaces that are kept: a hundred clients of 500 MiB each would fill a disk as well as anything.
pub const MOST_WORKSPACES: usize = 32;

/// Where it all lies, and how much there may be.
#[derive(Clone, Debug)]
pub struct StorePaths {
    /// Blobs of all clients.
    pub blobs: PathBuf,
    /// A workspace for each client's key, and the directories for temporary files.
    pub work: PathBuf,
    /// Bytes of blobs.
    pub limit: u64,
    /// Workspaces that were not used this long are removed; never more than `MOST_WORKSPACES` are kept.
    pub age: Duration,
}

/// Why a job's inputs cannot be had. Its text reads well after "cannot work for you: ".
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The system refuses.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With which directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Blobs are not taken or given.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// The workspace is not what the tree says.
    #[error(transparent)]
    Workspace(#[from] WorkspaceError),
    /// The tree breaks its limits or its rules.
    #[error(transparent)]
    Tree(#[from] SurveyError),
    /// What came is not a valid pack.
    #[error(transparent)]
    Pack(#[from] flotilla_messages::inputs::PackError),
    /// A blob that is not wanted.
    #[error("blob {0} came, which nobody asked for")]
    Unasked(Digest),
    /// A blob that cannot be what it is wanted for.
    #[error("blob {digest} came with {total} bytes, {expected} was to come")]
    Total {
        /// The digest of the blob.
        digest: Digest,
        /// What its sender says.
        total: u64,
        /// What the tree says.
        expected: String,
    },
    /// No job was begun.
    #[error("internal error: no job")]
    NoJob,
}

/// See which blobs of this client's tree are missing; begins its job if none has begun.
#[derive(Message)]
#[rtype(result = "Result<Vec<Digest>, StoreError>")]
pub struct SurveyInputs {
    /// The client.
    pub client: Fingerprint,
    /// The tree.
    pub root: Digest,
}

/// Store blobs that are wanted; answers how many are still to come.
#[derive(Message)]
#[rtype(result = "Result<usize, StoreError>")]
pub struct Put(pub Pack);

/// Store a pack of another peer, if nothing is in it but of these blobs.
#[derive(Message)]
#[rtype(result = "Result<Fetched, StoreError>")]
pub struct PutFetched {
    /// What came.
    pub pack: Pack,
    /// What is fetched there.
    pub only: BTreeSet<Digest>,
}

/// What came of it.
#[derive(Debug)]
pub struct Fetched {
    /// Of all that is wanted, this many blobs are still to come.
    pub left: usize,
    /// These are whole now.
    pub whole: Vec<Digest>,
}

/// Forget what has come of these; answers how many blobs are still to come.
#[derive(Message)]
#[rtype(result = "usize")]
pub struct GiveUp {
    /// For whom they were fetched.
    pub client: Fingerprint,
    /// The digests of the blobs.
    pub blobs: BTreeSet<Digest>,
}

/// Cut a piece out of a large blob, for another peer; nothing when it is not here.
#[derive(Message)]
#[rtype(result = "Result<Option<Cut>, StoreError>")]
pub struct CutOut {
    /// The digest of the blob.
    pub digest: Digest,
    /// From where on.
    pub offset: u64,
}

/// A piece.
#[derive(Debug)]
pub struct Cut {
    /// It alone.
    pub pack: Pack,
    /// Where the next one begins; nothing after the last one.
    pub next: Option<u64>,
}

/// Make the client's workspace what the tree says.
#[derive(Message)]
#[rtype(result = "Result<Laid, StoreError>")]
pub struct LayOut {
    /// The name of the job's directory for temporary files.
    pub tmp: String,
}

/// What came of it.
#[derive(Debug)]
pub enum Laid {
    /// All is there.
    Out {
        /// Where the tests run.
        root: PathBuf,
        /// Their directory for temporary files, empty.
        tmp: PathBuf,
    },
    /// Blobs are gone, or damaged.
    Lacking,
}

/// The job is over: nothing of it is running any more.
#[derive(Message)]
#[rtype(result = "()")]
pub struct CleanUp;

/// Close everything, and write down what the next start wants to know.
#[derive(Message)]
#[rtype(result = "()")]
pub struct StopInputStore;

/// The blob store and the workspace of the one job at hand.
pub struct InputStore {
    paths: StorePaths,
    store: Option<BlobStore>,
    job: Option<StoreTask>,
    jobs: u64,
}

struct StoreTask {
    owner: Owner,
    client: Fingerprint,
    root: Digest,
    pin: Option<PinId>,
    /// Not here yet, with the size that the tree gives; directories have none.
    wanted: BTreeMap<Digest, Option<u64>>,
    workspace: Option<Workspace>,
    /// Once all directories are known: the workspace is laid out while the files come.
    laying: Option<Laying>,
    tmp: Option<PathBuf>,
}

impl InputStore {
    /// On these paths; nothing is opened yet.
    pub fn new(paths: StorePaths) -> Self {
        Self { paths, store: None, job: None, jobs: 0 }
    }

    /// The store, opened at its first use; and what an earlier process left of temporary files is removed then.
    fn store(&mut self) -> Result<&mut BlobStore, StoreError> {
        if self.store.is_none() {
            let store = BlobStore::open(&self.paths.blobs, self.paths.limit)?;
            let tmp = self.paths.work.join("tmp");
            if let Err(source) = fs::remove_dir_all(&tmp)
                && source.kind() != io::ErrorKind::NotFound
            {
                log::warn!(target: "work", "cannot remove {}: {source}", tmp.display());
            }
            self.store = Some(store);
            self.sweep();
        }
        self.store.as_mut().ok_or(StoreError::NoJob)
    }

    fn survey(&mut self, client: Fingerprint, root: Digest) -> Result<Vec<Digest>, StoreError> {
        if self.job.as_ref().is_some_and(|job| job.client != client || job.root != root) {
            self.end_job();
        }
        self.store()?;
        if self.job.is_none() {
            self.jobs += 1;
            let owner = Owner(self.jobs);
            let wanted = BTreeMap::new();
            let (workspace, laying) = (None, None);
            self.job =
                Some(StoreTask { owner, client, root, pin: None, wanted, workspace, laying, tmp: None });
        }
        let job = self.job.as_mut().ok_or(StoreError::NoJob)?;
        let store = self.store.as_mut().ok_or(StoreError::NoJob)?;
        if let Some(laying) = &job.laying {
            // All directories were here, and are pinned.
            let files = store.missing(laying.tree().files.keys().copied());
            job.wanted = files_wanted(&files, laying.tree());
            return Ok(files);
        }
        let found =
            survey(root, &TreeLimits::default(), |digest| store.read(digest).map_err(StoreError::from))?;
        let all = || {
            let directories = found.directories.iter().map(|place| place.digest);
            directories.chain(found.missing.iter().copied()).chain(found.files.keys().copied())
        };
        let pin = store.pin(all().collect::<BTreeSet<_>>());
        if let Some(before) = job.pin.replace(pin) {
            store.unpin(before);
        }
        // Directories first, and alone: files are written as they come only once the whole tree is known, and a round trip
        // a level is soon made up for by that.
        if !found.missing.is_empty() {
            job.wanted = found.missing.iter().map(|digest| (*digest, None)).collect();
            return Ok(found.missing);
        }
        let files = store.missing(found.files.keys().copied());
        job.wanted = files_wanted(&files, &found);
        let workspace = match &mut job.workspace {
            Some(workspace) => workspace,
            none => none.insert(Workspace::open(work(&self.paths)?.join(job.client.to_string()))?),
        };
        job.laying = Some(workspace.begin(found)?);
        Ok(files)
    }

    fn put(&mut self, pack: &Pack) -> Result<usize, StoreError> {
        let job = self.job.as_mut().ok_or(StoreError::NoJob)?;
        let store = self.store.as_mut().ok_or(StoreError::NoJob)?;
        let unpacked = pack.unpack()?;
        asked_for(&unpacked, &job.wanted)?;
        store.put(job.owner, pack, &unpacked)?;
        for part in unpacked.parts().filter(PackPart::is_last) {
            job.wanted.remove(&part.digest);
        }
        if let Some(laying) = &mut job.laying {
            laying.take(&unpacked)?;
        }
        Ok(job.wanted.len())
    }

    fn put_fetched(&mut self, PutFetched { pack, only }: &PutFetched) -> Result<Fetched, StoreError> {
        // What a peer may send is a matter between it and us, not the client's.
        let unpacked = pack.unpack()?;
        if let Some(part) = unpacked.parts().find(|part| !only.contains(&part.digest)) {
            return Err(StoreError::Unasked(part.digest));
        }
        let last = unpacked.parts().filter(PackPart::is_last);
        let whole = last.map(|part| part.digest).collect();
        Ok(Fetched { left: self.put(pack)?, whole })
    }

    fn give_up(&mut self, GiveUp { client, blobs }: &GiveUp) -> usize {
        let Some(job) = self.job.as_mut().filter(|job| job.client == *client) else { return 0 };
        if let Some(store) = &mut self.store {
            blobs.iter().for_each(|digest| store.abandon_blob(job.owner, *digest));
        }
        job.wanted.len()
    }

    fn cut_out(&mut self, CutOut { digest, offset }: &CutOut) -> Result<Option<Cut>, StoreError> {
        let mut packer = Packer::new()?;
        let room = packer.room().unwrap_or(0);
        let Some(Piece { bytes, total }) = self.store()?.piece(digest, *offset, room)? else {
            return Ok(None);
        };
        let end = offset + bytes.len() as u64;
        packer.add(PackPart { digest: *digest, total, offset: *offset, bytes: &bytes })?;
        Ok(Some(Cut { pack: packer.finish()?, next: (end < total).then_some(end) }))
    }

    fn lay_out(&mut self, name: &str) -> Result<Laid, StoreError> {
        let tmp = work(&self.paths)?.join("tmp").join(name);
        make_directory(&tmp)?;
        let job = self.job.as_mut().ok_or(StoreError::NoJob)?;
        let store = self.store.as_mut().ok_or(StoreError::NoJob)?;
        job.tmp = Some(tmp.clone());
        let (Some(workspace), Some(laying)) = (&mut job.workspace, job.laying.take()) else {
            return Err(StoreError::NoJob);
        };
        match workspace.finish(laying, store) {
            Ok(updated) => {
                log::debug!(target: "work", "the workspace of {}: {updated:?}", job.client);
                Ok(Laid::Out { root: workspace.root().to_owned(), tmp })
            }
            Err(WorkspaceError::Missing(missing)) => {
                log::debug!(target: "work", "{} blobs of {} are gone", missing.len(), job.client);
                Ok(Laid::Lacking)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Removes workspaces whose clients do not come any more. Not while a job is at hand.
    fn sweep(&self) {
        let entries = match fs::read_dir(&self.paths.work) {
            Ok(entries) => entries,
            // Before the first job.
            Err(_) => return,
        };
        let workspace = |entry: io::Result<fs::DirEntry>| {
            let path = entry.ok()?.path();
            path.file_name()?.to_str()?.parse::<Fingerprint>().ok()?;
            Some((Workspace::last_used(&path)?, path))
        };
        let mut found: Vec<_> = entries.filter_map(workspace).collect();
        // The one used last comes first.
        found.sort_unstable_by(|a, b| b.cmp(a));
        let old = |used: SystemTime| used.elapsed().is_ok_and(|age| age > self.paths.age);
        for (place, (used, path)) in found.into_iter().enumerate() {
            if place >= MOST_WORKSPACES || old(used) {
                log::info!(target: "work", "{} was not used for a long time and is removed", path.display());
                remove(&path);
            }
        }
    }

    fn clear(&mut self) {
        self.end_job();
        self.sweep();
    }

    fn end_job(&mut self) {
        let Some(job) = self.job.take() else { return };
        if let Some(tmp) = &job.tmp {
            remove(tmp);
        }
        if let (Some(mut workspace), Some(laying)) = (job.workspace, job.laying)
            && let Err(error) = workspace.leave(laying)
        {
            log::warn!(target: "work", "what came for {} is written anew the next time: {error}", job.client);
        }
        if let Some(store) = &mut self.store {
            store.abandon(job.owner);
            if let Some(pin) = job.pin {
                store.unpin(pin);
            }
            store.flush();
        }
    }
}

/// Where workspaces are, as tests see it: that is what is to be replaced in their output.
fn work(paths: &StorePaths) -> Result<PathBuf, StoreError> {
    make_directory(&paths.work)?;
    let found = paths.work.canonicalize();
    found.map_err(|source| StoreError::Io { doing: "find", path: paths.work.clone(), source })
}

/// Files that are to come, with the sizes that the tree gives.
fn files_wanted(files: &[Digest], tree: &Tree) -> BTreeMap<Digest, Option<u64>> {
    files.iter().map(|digest| (*digest, tree.files.get(digest).copied())).collect()
}

/// Whether each part is of a blob that is wanted, and as large as it must be.
fn asked_for(unpacked: &Unpacked, wanted: &BTreeMap<Digest, Option<u64>>) -> Result<(), StoreError> {
    for part in unpacked.parts() {
        let (digest, total) = (part.digest, part.total);
        let expected = match wanted.get(&digest) {
            None => return Err(StoreError::Unasked(digest)),
            Some(Some(size)) if *size != total => size.to_string(),
            Some(None) if total > LARGEST_DIRECTORY as u64 => "a directory".to_owned(),
            Some(_) => continue,
        };
        return Err(StoreError::Total { digest, total, expected });
    }
    Ok(())
}

fn make_directory(path: &Path) -> Result<(), StoreError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| StoreError::Io { doing: "make the directory", path: path.to_owned(), source })
}

/// Removes what tests left; they may have made it unreadable to themselves.
fn remove(tmp: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if fs::remove_dir_all(tmp).is_ok() {
        return;
    }
    for entry in walkdir::WalkDir::new(tmp) {
        // What cannot be entered is mended before it is entered.
        if let Ok(entry) = entry
            && entry.file_type().is_dir()
        {
            let _ = fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o700));
        }
    }
    match fs::remove_dir_all(tmp) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            log::warn!(target: "work", "cannot remove {}: {error}", tmp.display());
        }
        _ => {}
    }
}

impl Actor for InputStore {
    type Context = SyncContext<Self>;
}

impl Handler<SurveyInputs> for InputStore {
    type Result = Result<Vec<Digest>, StoreError>;

    fn handle(&mut self, SurveyInputs { client, root }: SurveyInputs, _: &mut Self::Context) -> Self::Result {
        self.survey(client, root)
    }
}

impl Handler<Put> for InputStore {
    type Result = Result<usize, StoreError>;

    fn handle(&mut self, Put(pack): Put, _: &mut Self::Context) -> Self::Result {
        self.put(&pack)
    }
}

impl Handler<PutFetched> for InputStore {
    type Result = Result<Fetched, StoreError>;

    fn handle(&mut self, put: PutFetched, _: &mut Self::Context) -> Self::Result {
        self.put_fetched(&put)
    }
}

impl Handler<GiveUp> for InputStore {
    type Result = usize;

    fn handle(&mut self, given_up: GiveUp, _: &mut Self::Context) -> Self::Result {
        self.give_up(&given_up)
    }
}

impl Handler<CutOut> for InputStore {
    type Result = Result<Option<Cut>, StoreError>;

    fn handle(&mut self, cut: CutOut, _: &mut Self::Context) -> Self::Result {
        self.cut_out(&cut)
    }
}

impl Handler<LayOut> for InputStore {
    type Result = Result<Laid, StoreError>;

    fn handle(&mut self, LayOut { tmp }: LayOut, _: &mut Self::Context) -> Self::Result {
        self.lay_out(&tmp)
    }
}

impl Handler<CleanUp> for InputStore {
    type Result = ();

    fn handle(&mut self, _: CleanUp, _: &mut Self::Context) {
        self.clear();
    }
}

impl Handler<StopInputStore> for InputStore {
    type Result = ();

    fn handle(&mut self, _: StopInputStore, _: &mut Self::Context) {
        self.clear();
        self.store = None;
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn workspaces_of_clients_that_do_not_return_are_removed() {
        let dir = tempfile::tempdir().unwrap();
        let (blobs, work) = (dir.path().join("blobs"), dir.path().join("work"));
        let day = Duration::from_secs(24 * 60 * 60);
        let make = |number: u8, age: Duration| {
            let path = work.join(Fingerprint([number; 32]).to_string());
            drop(Workspace::open(&path).unwrap());
            fs::create_dir_all(path.join("root/test")).unwrap();
            fs::write(path.join("root/test/a.js"), "a").unwrap();
            let lock = File::options().write(true).open(path.join("lock")).unwrap();
            lock.set_modified(SystemTime::now() - age).unwrap();
            path
        };
        let (young, old) = (make(1, day), make(2, 3 * day));
        fs::create_dir_all(work.join("notes")).unwrap();
        let mut inputs =
            InputStore::new(StorePaths { blobs, work: work.clone(), limit: 1 << 20, age: 2 * day });
        inputs.store().unwrap();
        assert!(young.exists() && !old.exists() && work.join("notes").exists());
        let many: Vec<_> =
            (10..10 + MOST_WORKSPACES as u8).map(|number| make(number, Duration::from_secs(1))).collect();
        inputs.clear();
        assert!(!young.exists(), "the one that was unused the longest");
        assert!(many.iter().all(|path| path.exists()));
    }
}
