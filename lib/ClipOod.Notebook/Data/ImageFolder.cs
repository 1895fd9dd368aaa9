using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>Features of a folder's images.</summary>
/// <param name="Set">The images that could be read, with thumbnails.</param>
/// <param name="Files">Their files, row by row.</param>
/// <param name="Failures">The images that could not be read, and why.</param>
public sealed record EncodedFolder(FeatureSet Set, IReadOnlyList<string> Files, IReadOnlyList<ClipFailure> Failures);

/// <summary>Images in a folder of one's own: a subfolder per class, or all images of one class in the folder itself.</summary>
public sealed class ImageFolder
{
    private const int ThumbnailSide = 96;

    // Phones' HEIC and AVIF are listed so that they are told to be unreadable rather than left out in silence.
    private static readonly string[] _endings =
    [
        ".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tga", ".tif",
        ".tiff", ".webp",
    ];

    private ImageFolder(string path, IReadOnlyList<string> classes, IReadOnlyList<string> files, IReadOnlyList<int> labels) =>
        (Path, Classes, Files, Labels) = (path, classes, files, labels);

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>The names of the subfolders that hold images, sorted; without such, the name of the folder.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>The image files, sorted within their class.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>The class of each file.</summary>
    public IReadOnlyList<int> Labels { get; }

    /// <summary>Lists the images of a folder, by their endings.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">It holds no images, or images both in itself and in subfolders.</exception>
    public static ImageFolder Open(string path)
    {
        if (!Directory.Exists(path))
        {
            throw new DirectoryNotFoundException($"There is no folder of images at {System.IO.Path.GetFullPath(path)}.");
        }

        string[] here = Images(path);
        (string Name, string[] Files)[] classes = [.. Directory.GetDirectories(path)
            .Order(StringComparer.Ordinal)
            .Select(folder => (System.IO.Path.GetFileName(folder), Images(folder)))
            .Where(entry => entry.Item2.Length > 0)];
        if (here.Length > 0 && classes.Length > 0)
        {
            throw new InvalidDataException(
                $"{path} holds {here.Length} images beside subfolders with images ({string.Join(", ", classes.Select(entry => entry.Name))}): of which class are they? Move them into a subfolder.");
        }

        if (here.Length == 0 && classes.Length == 0)
        {
            throw new InvalidDataException($"{path} holds no images: looked for {string.Join(", ", _endings)}, in it and in its subfolders.");
        }

        if (here.Length > 0)
        {
            classes = [(System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path))), here)];
        }

        return new ImageFolder(
            path,
            [.. classes.Select(entry => ClassNames.Clean(entry.Name))],
            [.. classes.SelectMany(entry => entry.Files)],
            [.. classes.SelectMany((entry, k) => Enumerable.Repeat(k, entry.Files.Length))]);
    }

    /// <summary>Encodes the images. Those that cannot be read are listed in the result, and the others encoded.</summary>
    /// <param name="encoder">A CLIP model of any kind.</param>
    /// <param name="name">Name of the set, for tables and charts.</param>
    /// <exception cref="InvalidDataException">No image could be read.</exception>
    public EncodedFolder Encode(ClipEncoder encoder, string name)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        ClipEncoding encoding = encoder.EncodeImages(Files, new ClipEncodingOptions { ThumbnailSide = ThumbnailSide });
        if (encoding.Count == 0)
        {
            throw new InvalidDataException($"None of the {Files.Count} images in {Path} could be read. The first: {encoding.Failures[0].Message}");
        }

        FeatureSet set = encoding.ToFeatureSet(name, "own images", Labels, Classes);
        return new EncodedFolder(
            new FeatureSet(set.Name, set.Split, set.Features, set.Labels, set.Classes, set.Provenance, ImageBatch.Of(encoding.Thumbnails)) { Precision = set.Precision },
            [.. encoding.Indices.Select(i => Files[i])],
            encoding.Failures);
    }

    private static string[] Images(string folder) => [.. Directory.EnumerateFiles(folder)
        .Where(file => _endings.Contains(System.IO.Path.GetExtension(file).ToLowerInvariant()))
        .Order(StringComparer.Ordinal)];
}
