using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>Images on this machine: fetched data sets by the names of the catalogue, others by their folders.</summary>
internal static class LocalImages
{
    /// <summary>The split of a data set without parts.</summary>
    public const string WholeSplit = "all";

    // In a folder of classes none of these is one.
    private static readonly string[] _partNames = ["train", "val", "val1", "validation", "test", "test1", "all"];

    /// <summary>The name of a data set: that of the catalogue, or that of its folder.</summary>
    /// <param name="data">A name of the catalogue, or a path.</param>
    public static string NameOf(string data) => IsFetched(data) ? data : Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(data)));

    /// <summary>
    /// The splits that a world takes of a data set, or else all official ones; of a folder of one's own the subfolders, where all are named
    /// as parts, and else "all".
    /// </summary>
    /// <param name="data">A name of the catalogue, or a path.</param>
    public static IReadOnlyList<string> SplitsOf(string data) => !IsFetched(data) ? PartsIn(data)
        : EncodedWorld.Parts.FirstOrDefault(part => part.Data == data) is { Data: not null } part ? part.Splits
        : ImageSources.Splits(data);

    /// <summary>Opens a split.</summary>
    /// <param name="data">A name of the catalogue, or a folder with a folder for each class, or one with images of one class.</param>
    /// <param name="split">An official split; of a folder of one's own a subfolder, or "all" for the folder itself.</param>
    /// <param name="name">What to call the data set in tables; null for its own name.</param>
    /// <exception cref="DirectoryNotFoundException">It is not here; the message says how to get it.</exception>
    /// <exception cref="InvalidDataException">It is not whole, or no such data set.</exception>
    /// <exception cref="ArgumentException">It has no such split.</exception>
    public static ImageSource Open(string data, string split, string? name = null)
    {
        if (IsFetched(data))
        {
            string folder = LocalData.Dataset(data);
            return Directory.Exists(folder)
                ? ImageSources.Open(data, folder, split)
                : throw new DirectoryNotFoundException($"The data set {data} is not here: there is no {folder}. Get it: clipood fetch {data}");
        }

        if (!Directory.Exists(data))
        {
            throw new DirectoryNotFoundException(
                $"There are no images '{data}': it is no folder, and the data sets that can be fetched and read are {Nearest.Of(data, ImageSources.Names.Where(IsFetched))}.");
        }

        name ??= NameOf(data);
        string root = split == WholeSplit && !Directory.Exists(Path.Combine(data, split)) ? data : Path.Combine(data, split);
        if (Directory.Exists(root) && Directory.GetDirectories(root).Length == 0)
        {
            ImageFolder flat = ImageFolder.Open(root);
            return new ImageSource(
                name, split, flat.Classes, flat.Labels, [.. flat.Files.Select(file => Path.GetFileName(file))], i => ImageDecoder.Decode(flat.Files[i]), flat.Files);
        }

        ImageSource source = ImageSources.Open("imagefolder", root, WholeSplit);
        return new ImageSource(name, split, source.Classes, source.Labels, source.ImageNames, source.Read, [.. Enumerable.Range(0, source.Count).Select(i => source.File(i)!)]);
    }

    private static IReadOnlyList<string> PartsIn(string folder)
    {
        string[] names = Directory.Exists(folder) ? [.. Directory.GetDirectories(folder).Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)] : [];
        return names.Length > 0 && names.All(_partNames.Contains) ? names : [WholeSplit];
    }

    private static bool IsFetched(string data) => ImageSources.Names.Contains(data) && SourceCatalog.Find(data) is { Kind: SourceKind.Datasets };
}
