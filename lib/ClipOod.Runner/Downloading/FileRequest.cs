using System.Globalization;

namespace ClipOod.Runner.Downloading;

/// <summary>A file to fetch: what to call it, where it goes, where it may come from, and what it must be.</summary>
/// <param name="Name">What messages call it.</param>
/// <param name="Path">Where it appears when it is whole and verified. Until then it lies beside it, as <c>*.part</c>.</param>
/// <param name="Addresses">Where it may come from, tried in turn: http, https, or <see cref="HubAddress"/>.</param>
/// <param name="Bytes">Its size, where one is known.</param>
/// <param name="Sha256">Its SHA-256, where one is known.</param>
/// <param name="Md5">Its MD5, which is compared where no SHA-256 is known.</param>
/// <param name="Stale">SHA-256 that the file had once: one of these is told apart from a damaged file.</param>
/// <param name="AcceptNew">Whether a file of another size or hash is taken all the same.</param>
internal sealed record FileRequest(
    string Name,
    string Path,
    IReadOnlyList<string> Addresses,
    long? Bytes = null,
    string? Sha256 = null,
    string? Md5 = null,
    IReadOnlyList<string>? Stale = null,
    bool AcceptNew = false)
{
    /// <summary>Whether the end of the download is compared with anything but the server's own size.</summary>
    public bool HasHash => Sha256 is not null || Md5 is not null;

    /// <summary>What is different about a file; null where it is the one that is expected.</summary>
    /// <param name="bytes">Its size.</param>
    /// <param name="sha256">Its SHA-256.</param>
    /// <param name="md5">Its MD5, where that is what it is compared by.</param>
    public string? DifferenceOf(long bytes, string sha256, string? md5) =>
        Bytes is long size && size != bytes ? string.Create(CultureInfo.InvariantCulture, $"it has {bytes} bytes, expected {size} as published")
        : Sha256 is string hash && !hash.Equals(sha256, StringComparison.OrdinalIgnoreCase)
            ? $"its SHA-256 is {sha256}, expected {hash} as published{(Stale?.Contains(sha256) == true ? " (it is an older version of the file, which other lists still name)" : "")}"
        : Sha256 is null && Md5 is string old && md5 is not null && !old.Equals(md5, StringComparison.OrdinalIgnoreCase) ? $"its MD5 is {md5}, expected {old} as published"
        : null;
}

/// <summary>What came.</summary>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">Its SHA-256.</param>
/// <param name="From">The address or the local file that it came from.</param>
/// <param name="IsAsExpected">Whether it was compared with a known hash and is equal; false where there was none, or another was accepted.</param>
internal sealed record FileReceipt(long Bytes, string Sha256, string From, bool IsAsExpected);

/// <summary>A file could not be fetched, or is not what it should be. The message says what, what came, what was expected, and what to do.</summary>
/// <param name="message">It.</param>
/// <param name="isUnreachable">Whether nothing answered: no network, or no such host.</param>
/// <param name="isSettled">Whether another address of the same file would not help.</param>
internal sealed class DownloadException(string message, bool isUnreachable = false, bool isSettled = false) : Exception(message)
{
    public bool IsUnreachable => isUnreachable;

    public bool IsSettled => isSettled;
}

/// <summary>How far a file is; written by the download, read by whoever shows it.</summary>
internal sealed class FileProgress
{
    private long _done;
    private long _total = -1;

    /// <summary>Bytes that are here.</summary>
    public long Done
    {
        get => Interlocked.Read(ref _done);
        set => Interlocked.Exchange(ref _done, value);
    }

    /// <summary>Bytes that there will be; null while nobody has said so.</summary>
    public long? Total
    {
        get => Interlocked.Read(ref _total) is >= 0 and var total ? total : null;
        set => Interlocked.Exchange(ref _total, value ?? -1);
    }

    /// <summary>What it waits for; null while it does not wait.</summary>
    public string? Waits { get; set; }
}
