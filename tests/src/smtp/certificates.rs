//! Certificates made for one server, by an authority that only its clients know.

use std::{path::PathBuf, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};

/// Which certificate a server presents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// A good one.
    Own,
    /// One for its name, by an authority that nobody knows.
    UnknownAuthority,
    /// One for another name, by the right authority.
    OtherName,
}

type Issuer = CertifiedIssuer<'static, KeyPair>;

/// An authority, and the file in which its clients find it.
pub(crate) struct Certificates {
    authority: Issuer,
    directory: TempDir,
}

impl Certificates {
    pub(crate) fn new() -> Self {
        let (authority, directory) = (authority("its clients know it"), TempDir::new().unwrap());
        std::fs::write(directory.path().join("ca.pem"), authority.pem()).unwrap();
        Self { authority, directory }
    }

    pub(crate) fn ca_file(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// What makes TLS of a connection.
    pub(crate) fn acceptor(&self, presented: Presented) -> TlsAcceptor {
        let names = match presented {
            Presented::OtherName => vec!["mail.example.net".to_owned()],
            Presented::Own | Presented::UnknownAuthority => vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
        };
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(names).unwrap();
        let certificate = match presented {
            Presented::UnknownAuthority => params.signed_by(&key, &authority("nobody knows it")),
            Presented::Own | Presented::OtherName => params.signed_by(&key, &self.authority),
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.unwrap().der().clone()], key);
        TlsAcceptor::from(Arc::new(config.unwrap()))
    }
}

fn authority(name: &str) -> Issuer {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}
