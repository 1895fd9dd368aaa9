using System.Globalization;
using ClipOod.Notebook;
using ClipOod.Runner.Downloading;

namespace ClipOod.Runner.Commands;

/// <summary>The catalogue's entries as commands name, fetch and verify them.</summary>
internal static class Sources
{
    /// <summary>The entries of names, each once.</summary>
    /// <exception cref="CommandException">A name is unknown; the message has the nearest ones.</exception>
    public static IReadOnlyList<SourceEntry> Named(IEnumerable<string> names) =>
    [
        .. names.Distinct(StringComparer.Ordinal).Select(name => SourceCatalog.Find(name) ?? throw new CommandException(
            $"There is nothing named '{name}' to fetch. Near to it: {string.Join(", ", NearestTo(name))}. All names: clipood list")),
    ];

    /// <summary>The request for a file of an entry.</summary>
    public static FileRequest RequestFor(SourceEntry entry, SourceFile file, bool acceptNew = false) => new(
        $"{entry.Name}/{file.Path}",
        entry.PathOf(file),
        file.Address is null ? [] : [file.Address, .. file.Mirrors ?? []],
        file.Bytes,
        file.Sha256,
        file.Md5,
        file.Stale,
        acceptNew);

    /// <summary>A size as people read it, such as "605 MB".</summary>
    public static string Size(long bytes) => bytes switch
    {
        < 1000 => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0} kB"),
        < 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0} GB"),
    };

    /// <summary>What an entry takes: "605 MB", "more than 605 MB" where not all sizes are published, or "size not stated" where that of its main file is not.</summary>
    public static string Size(SourceEntry entry) =>
        entry.Files[0].Bytes is null ? "size not stated" : entry.Files.Any(file => file.Bytes is null) ? $"more than {Size(entry.KnownBytes)}" : Size(entry.KnownBytes);

    private static IEnumerable<string> NearestTo(string name) => SourceCatalog.All
        .Select(entry => entry.Name)
        .OrderBy(other => other.Contains(name, StringComparison.OrdinalIgnoreCase) ? 0 : Nearest.Distance(name, other))
        .ThenBy(other => other, StringComparer.Ordinal)
        .Take(4);
}
