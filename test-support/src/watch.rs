//! Ends a server when its owner goes, whatever becomes of the owner.

use crate::Result;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};

/// A shell that waits for its input to end, which it does when the owner's end of the
/// pipe is dropped or the owner dies, and then runs its script.
#[derive(Debug)]
pub(crate) struct Watch {
    shell: Child,
    pipe: Option<ChildStdin>,
}

impl Watch {
    /// Runs `script` at the end, with these arguments as `$1`, `$2` and so on.
    pub(crate) fn start<'a>(script: &str, args: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let mut shell = Command::new("sh")
            .arg("-c")
            .arg(format!("cat >/dev/null; {script}"))
            .arg("watch")
            .args(args)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What ends the owner's group must not end the one that tidies up.
            .process_group(0)
            .spawn()
            .map_err(|error: io::Error| format!("`sh` did not start: {error}"))?;
        let pipe = shell.stdin.take();
        Ok(Self { shell, pipe })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // It cannot be said to anybody.
        let _ended = self.shell.wait();
    }
}
