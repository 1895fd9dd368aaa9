using System.Globalization;

namespace ClipOod.Notebook;

/// <summary>Lists of images with class numbers.</summary>
internal static class ImageList
{
    // A broken label may be any number.
    private const int MostClasses = 100_000;

    // OpenOOD's lists, and the archives that others made of its images: with or without the first folder, below "images", with underscores.
    private static readonly Func<string, string>[] _rules =
    [
        path => path,
        path => path[(path.IndexOf('/', StringComparison.Ordinal) + 1)..],
        path => $"images/{path}",
    ];

    /// <inheritdoc cref="ImageSources.OpenList"/>
    public static ImageSource Open(string list, string folder, IReadOnlyList<string>? classes, bool allowPartial)
    {
        ArgumentNullException.ThrowIfNull(list);
        ArgumentNullException.ThrowIfNull(folder);
        if (!File.Exists(list))
        {
            throw new FileNotFoundException($"There is no list of images '{list}'.", list);
        }

        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"There is no folder {Path.GetFullPath(folder)}, which the paths in {list} start from.");
        }

        string root = Path.GetFullPath(folder);
        string name = Path.GetFileNameWithoutExtension(list);
        List<(int Label, string Path)> entries = [];
        int number = 0;
        foreach (string line in File.ReadLines(list))
        {
            number++;
            if (line.Trim() is { Length: > 0 } entry)
            {
                entries.Add(Entry(entry) ?? throw new InvalidDataException(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{list}, line {number}: got '{Shown(entry)}', expected a path within the folder, a space and a label from −1 to {MostClasses - 1}, such as 'imagenet_1k/val/n01440764/1.JPEG 0'.")));
            }
        }

        int unknown = entries.Count(entry => entry.Label < 0);
        if (entries.Count == 0 || (unknown > 0 && unknown < entries.Count))
        {
            throw new InvalidDataException($"{list} lists {entries.Count} images, {unknown} of them with the label −1, which marks all images of an OOD set or none. Check the list.");
        }

        int largest = unknown > 0 ? 0 : entries.Max(entry => entry.Label);
        if (classes is not null && largest >= classes.Count)
        {
            throw new InvalidDataException($"{list} has the label {largest}, expected 0 to {classes.Count - 1} for {classes.Count} class names. Give the names that belong to it.");
        }

        (int Label, string Path)[] known = [.. entries.Select(entry => (Math.Max(0, entry.Label), entry.Path))];
        return FileImages.Open(
            name, "list", root, classes ?? (unknown > 0 ? [name] : Folders(known, largest + 1)), Located(known, root), allowPartial,
            $"The paths of {list} start from another folder, or images are missing: give the folder that holds {known[0].Path}, or allow a part of the images.");
    }

    private static (int Label, string Path)? Entry(string line)
    {
        int space = line.LastIndexOf(' ');
        string path = line[..Math.Max(0, space)].TrimEnd().Replace('\\', '/');
        return FileImages.IsWithin(path) && int.TryParse(line[(space + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int label) && label is >= -1 and < MostClasses
            ? (label, path)
            : null;
    }

    /// <summary>The paths by which the images are there; a path that no rule finds stays.</summary>
    private static (int Label, string Name)[] Located(IReadOnlyList<(int Label, string Path)> entries, string root)
    {
        Func<string, string>[] rules = [.. _rules, .. _rules.Select(rule => (Func<string, string>)(path => rule(path).Replace(' ', '_')))];
        int last = 0;
        return [.. entries.Select(entry =>
        {
            for (int i = 0; i < rules.Length; i++)
            {
                int rule = (last + i) % rules.Length;
                if (File.Exists($"{root}/{rules[rule](entry.Path)}"))
                {
                    last = rule;
                    return (entry.Label, rules[rule](entry.Path));
                }
            }

            return entry;
        })];
    }

    /// <summary>The classes called by their folders, where no two share one; else by number.</summary>
    private static string[] Folders(IReadOnlyList<(int Label, string Path)> entries, int count)
    {
        (int Label, string Folder)[] pairs = [.. entries.Select(entry => (entry.Label, Folder: Path.GetFileName(Path.GetDirectoryName(entry.Path)) ?? "")).Distinct()];
        bool isOne = pairs.All(pair => pair.Folder.Length > 0) && pairs.DistinctBy(pair => pair.Label).Count() == pairs.Length && pairs.DistinctBy(pair => pair.Folder).Count() == pairs.Length;
        string[] names = [.. Enumerable.Range(0, count).Select(k => string.Create(CultureInfo.InvariantCulture, $"class {k}"))];
        foreach ((int label, string folder) in isOne ? pairs : [])
        {
            names[label] = folder;
        }

        return names;
    }

    private static string Shown(string line) => line.Length <= 100 ? line : $"{line[..100]}...";
}
