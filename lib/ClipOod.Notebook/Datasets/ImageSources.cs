using System.Globalization;

namespace ClipOod.Notebook;

/// <summary>
/// Opens data sets in the formats in which their authors publish them, with their official splits. Numbers of images and classes are checked
/// against the published ones, so that a copy that is not whole is told before anything is computed of it.
/// </summary>
internal static class ImageSources
{
    /// <summary>The data sets that <see cref="Open"/> knows, sorted.</summary>
    public static IReadOnlyList<string> Names => [.. DatasetFormats.All.Keys];

    /// <summary>The splits of a data set, the first one that of training images where it has one.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <returns>The names; none for "imagefolder", whose splits are the folders that it has.</returns>
    /// <exception cref="ArgumentException">There is no such data set.</exception>
    public static IReadOnlyList<string> Splits(string name) => [.. FormatOf(name).Splits.Keys];

    /// <summary>Opens a split of a data set.</summary>
    /// <param name="name">One of <see cref="Names"/>, such as "cifar10".</param>
    /// <param name="folder">Where its archives were unpacked, or the top folder of one of them.</param>
    /// <param name="split">One of <see cref="Splits"/>; for "imagefolder" a subfolder, or "all" for the folder itself.</param>
    /// <param name="allowPartial">Whether fewer images than published will do, such as those of a seminar's excerpt.</param>
    /// <exception cref="ArgumentException">There is no such data set, or it has no such split.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">
    /// The folder holds something else, an older layout, or a part of the images; the message says what it has, what was expected and what to do.
    /// </exception>
    public static ImageSource Open(string name, string folder, string split, bool allowPartial = false)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(split);
        DatasetFormat format = FormatOf(name);
        if (format.Splits.Count > 0 && !format.Splits.ContainsKey(split))
        {
            throw new ArgumentException($"{format.Title} has no split '{split}', it has: {string.Join(", ", format.Splits.Keys)}.", nameof(split));
        }

        if (!Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException($"There is no folder {Path.GetFullPath(folder)} to read {format.Title} from.");
        }

        ImageSource source = format.Open(new DatasetFolder(format, Path.GetFullPath(folder), split, allowPartial));
        if (format.Splits.GetValueOrDefault(split) is int published && source.Count != published && !(allowPartial && source.Count < published))
        {
            throw new InvalidDataException(string.Create(
                CultureInfo.InvariantCulture,
                $"{folder} holds {source.Count:N0} images of {format.Title} {split}, expected the {published:N0} that were published. {format.Remedy}"));
        }

        return source;
    }

    /// <summary>Opens the images that a list names: lines of a path and a class number, as OpenOOD and the lists of MOS and MCM have them.</summary>
    /// <param name="list">The list: "path label", split at the last space. Where all labels are −1, OpenOOD's mark of an OOD set, all images are of one class.</param>
    /// <param name="folder">The folder that paths start from.</param>
    /// <param name="classes">The class names; null takes those of the images' folders, where each class has one of its own, or else numbers.</param>
    /// <param name="allowPartial">Whether images may be missing, which are then left out.</param>
    /// <exception cref="FileNotFoundException">There is no such list.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">A line is none of a path within the folder and a label, or images are missing; the message names the first.</exception>
    public static ImageSource OpenList(string list, string folder, IReadOnlyList<string>? classes = null, bool allowPartial = false) =>
        ImageList.Open(list, folder, classes, allowPartial);

    private static DatasetFormat FormatOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return DatasetFormats.All.TryGetValue(name, out DatasetFormat? format)
            ? format
            : throw new ArgumentException($"No data set '{name}' is known in its original format, known are: {string.Join(", ", Names)}.", nameof(name));
    }
}
