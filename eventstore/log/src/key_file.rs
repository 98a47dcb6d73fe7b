//! Keeps a signing key in a file that only its owner may use.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use zeroize::Zeroizing;

use crate::limits::KEY_FILE_BYTES_MAX;
use crate::signer::{FileSigner, KeyError};

impl FileSigner {
    /// Reads a key file. Refuses one that group or others may use, and what is no regular file.
    pub fn open(path: &Path) -> Result<Self, KeyError> {
        // To open a pipe waits for whoever writes to it.
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file").into());
        }
        let mut file = File::open(path)?;
        refuse_shared(&file)?;
        let mut pem = Zeroizing::new(String::with_capacity(KEY_FILE_BYTES_MAX as usize + 1));
        let length = Read::take(&mut file, KEY_FILE_BYTES_MAX + 1).read_to_string(&mut pem);
        match length {
            Ok(length) if length as u64 <= KEY_FILE_BYTES_MAX => Self::from_pem(&pem),
            Ok(_) => Err(KeyError::Malformed),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(KeyError::Malformed),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the key to a new file with mode 600; never replaces one. Survives power loss when this returns.
    pub fn save(&self, path: &Path) -> Result<(), KeyError> {
        let pem = self.to_pem()?;
        if path.exists() {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists).into());
        }
        // Under another name until it is whole: half a key would be in the way for ever.
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".new");
        let unfinished = Path::new(&unfinished);
        if unfinished.exists() {
            std::fs::remove_file(unfinished)?;
        }
        let mut file = private_options().open(unfinished)?;
        file.write_all(pem.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(unfinished, path)?;
        sync_parent(path)?;
        Ok(())
    }
}

fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

#[cfg(unix)]
fn refuse_shared(file: &File) -> Result<(), KeyError> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata()?.permissions()) & 0o777;
    if mode & 0o077 == 0 { Ok(()) } else { Err(KeyError::Permissions(mode)) }
}

// Elsewhere the directory's access list protects the file.
#[cfg(not(unix))]
fn refuse_shared(_: &File) -> Result<(), KeyError> {
    Ok(())
}

#[cfg(unix)]
fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
fn sync_parent(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::signer::Signer;

    #[test]
    fn a_key_survives_its_file() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("seal.pem");
        let signer = FileSigner::generate()?;
        signer.save(&path)?;
        assert_eq!(std::fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
        assert_eq!(FileSigner::open(&path)?.public_key(), signer.public_key());
        assert!(matches!(signer.save(&path), Err(KeyError::Io(_))), "never replaces a key");

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640))?;
        assert!(matches!(FileSigner::open(&path), Err(KeyError::Permissions(0o640))));
        Ok(())
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", FileSigner::from_seed(&[0x5a; 32]));
        assert!(shown.contains("public_key") && !shown.contains("5a5a"), "{shown}");
    }

    #[test]
    fn refuses_what_is_no_key() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        for (name, content) in [("empty", Vec::new()), ("binary", vec![0xff; 64]), ("long", vec![b'a'; 10_000])] {
            let path = folder.path().join(name);
            private_options().open(&path)?.write_all(&content)?;
            assert!(matches!(FileSigner::open(&path), Err(KeyError::Malformed)), "{name}");
        }
        Ok(())
    }

    #[test]
    fn what_is_no_regular_file_is_not_waited_for() {
        let dir = tempfile::tempdir().expect("a directory");
        let pipe = dir.path().join("seal.pem");
        let made = std::process::Command::new("mkfifo").arg("-m600").arg(&pipe).status().expect("mkfifo runs");
        assert!(made.success());
        for path in [pipe.as_path(), dir.path()] {
            let refused = FileSigner::open(path).err();
            assert!(matches!(&refused, Some(KeyError::Io(error)) if error.kind() == io::ErrorKind::InvalidInput));
        }
    }

    #[test]
    fn half_a_key_of_an_interrupted_save_is_in_nobodys_way() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("seal.pem");
        std::fs::write(dir.path().join("seal.pem.new"), "-----BEGIN").expect("a file");
        let signer = FileSigner::from_seed(&[7; 32]);
        signer.save(&path).expect("saved");
        assert_eq!(FileSigner::open(&path).expect("whole").public_key(), signer.public_key());
        assert!(signer.save(&path).is_err(), "never replaces one");
    }
}
