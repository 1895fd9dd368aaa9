namespace ClipOod.Notebook;

/// <summary>How much may come out of an archive, so that a small file cannot fill a disk.</summary>
internal sealed record ArchiveLimits
{
    /// <summary>Most bytes of all files together.</summary>
    public long MaxBytes { get; init; } = 1L << 40;

    /// <summary>Most files and folders.</summary>
    public int MaxEntries { get; init; } = 5_000_000;

    /// <summary>Most bytes of all files for each byte of the archive; photographs come to about 1, lists of names to 20.</summary>
    public int MaxRatio { get; init; } = 100;

    /// <summary>Bytes that are let out whatever their ratio.</summary>
    public long AnyRatioBytes { get; init; } = 64L << 20;

    /// <summary>Most bytes that an archive may become.</summary>
    /// <param name="length">Bytes of the archive.</param>
    public long Most(long length) => Math.Min(MaxBytes, Math.Max(AnyRatioBytes, length * MaxRatio));
}
