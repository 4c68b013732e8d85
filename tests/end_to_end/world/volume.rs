//! A small volume of its own below a world's folder, in a mount namespace that ends with this.
//!
//! The system's own mounts stay as they are. Whoever may not mount (a container without that right) is told so loudly,
//! and the test that needs the volume shows nothing.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Ways to a mount namespace: as root, and as anybody who may have a namespace of users; with the way to join each.
const WAYS: [(&[&str], &[&str]); 2] = [
    (&["--mount"], &[]),
    (
        &["--mount", "--user", "--map-root-user"],
        &["--user", "--preserve-credentials"],
    ),
];

/// A mounted volume.
pub struct Volume {
    holder: Child,
    joining: &'static [&'static str],
    folder: PathBuf,
}

impl Volume {
    /// Mounts a volume of 16 MiB at a new folder: SQLite's write-ahead log takes four of them.
    pub fn small(folder: &Path) -> Option<Self> {
        Self::mount(folder, "mount -t tmpfs -o size=16m none \"$1\"")
    }

    /// Shows a folder as one that stands on a volume which takes no writes.
    pub fn read_only(folder: &Path) -> Option<Self> {
        Self::mount(
            folder,
            "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\"",
        )
    }

    fn mount(folder: &Path, order: &str) -> Option<Self> {
        std::fs::create_dir_all(folder).unwrap();
        // the holder ends with its standard input
        let script = format!("{order} && echo mounted && exec cat");
        for (namespace, joining) in WAYS {
            let mut holder = Command::new("unshare")
                .args(namespace)
                .args(["sh", "-c", &script, "sh"])
                .arg(folder)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut said = String::new();
            let out = holder.stdout.as_mut().unwrap();
            BufReader::new(out).read_line(&mut said).unwrap();
            let volume = Self {
                holder,
                joining,
                folder: folder.to_owned(),
            };
            if said == "mounted\n" {
                return Some(volume);
            }
        }
        eprintln!(
            "\nNOT TESTED: nobody may mount a volume here, neither as root nor in a user namespace. Run this test where \
             `unshare --mount` works.\n"
        );
        None
    }

    /// What runs a program where the volume is mounted.
    pub fn joined(&self) -> Vec<String> {
        let target = self.holder.id().to_string();
        let mut words = vec!["/usr/bin/nsenter".to_owned(), "--target".to_owned(), target];
        words.extend(["--mount".to_owned()]);
        words.extend(self.joining.iter().map(|word| (*word).to_owned()));
        words.push("--".to_owned());
        words
    }

    /// Writes a file until nothing more fits.
    pub fn fill(&self) {
        let mut file = std::fs::File::create(self.seen("filling")).unwrap();
        while file.write_all(&[0x5a; 4096]).is_ok() {}
        // and the rest of the last page
        while file.write_all(&[0x5a]).is_ok() {}
    }

    /// Makes room again.
    pub fn empty(&self) {
        std::fs::remove_file(self.seen("filling")).unwrap();
    }

    /// A file of the volume, as it is seen from here.
    fn seen(&self, name: &str) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(self.folder.strip_prefix("/").unwrap()).join(name)
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        self.holder.kill().ok();
        self.holder.wait().ok();
    }
}
