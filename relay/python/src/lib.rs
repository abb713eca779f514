//! The Python binding of the media relay: no logic. Stub: `relay/_relay.pyi`; face: `relay/__init__.py`.

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use relay_engine::EngineConfig;

/// A running relay: shard threads, sockets, and two queues.
#[pyclass(frozen, module = "relay._relay")]
struct Engine(relay_engine::Engine);

#[pymethods]
impl Engine {
    #[new]
    fn new(py: Python<'_>, config: &[u8]) -> PyResult<Self> {
        let config = EngineConfig::decode(config).map_err(PyValueError::new_err)?;
        Ok(Self(py.detach(|| relay_engine::Engine::start(&config))?))
    }

    #[getter]
    fn fingerprint(&self) -> &str {
        self.0.fingerprint()
    }

    fn candidates(&self, room: &str) -> Vec<(String, u16, &'static str)> {
        let candidates = self.0.candidates(room).into_iter();
        candidates
            .map(|at| (at.address.ip().to_string(), at.address.port(), if at.tcp { "tcp" } else { "udp" }))
            .collect()
    }

    fn submit(&self, py: Python<'_>, commands: &[u8]) -> PyResult<()> {
        py.detach(|| self.0.submit(commands)).map_err(PyValueError::new_err)
    }

    fn event_fd(&self) -> i32 {
        self.0.event_fd()
    }

    fn drain<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let events = py.detach(|| self.0.drain()).map_err(PyRuntimeError::new_err)?;
        Ok(PyBytes::new(py, &events))
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| self.0.close());
    }
}

/// The relay's native module.
#[pymodule(gil_used = false)]
fn _relay(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Engine>()
}
