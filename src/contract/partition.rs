//! Which partition a partition key belongs to: the one sum that publishers and workers must do alike.

/// CRC-32 (IEEE, as in zlib) of the key's UTF-8 bytes, modulo the number of partitions.
///
/// Not the broker's consistent-hash exchange: its ring moves most keys when an old broker restarts.
pub fn of(key: &str, partitions: u16) -> u16 {
    let partitions = u32::from(partitions.max(1));
    let partition = crc32fast::hash(key.as_bytes()) % partitions;
    u16::try_from(partition).unwrap_or(0) // always fits: it is below a u16
}
