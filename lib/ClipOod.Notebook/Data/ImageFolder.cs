using System.Security.Cryptography;
using ClipOod.Autodiff;
using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>Features of a folder's images.</summary>
/// <param name="Set">The images that could be read, with thumbnails: small pictures without the file's EXIF data.</param>
/// <param name="Files">Their files, row by row.</param>
/// <param name="Failures">The images that could not be read, and why.</param>
public sealed record EncodedFolder(FeatureSet Set, IReadOnlyList<string> Files, IReadOnlyList<ClipFailure> Failures);

/// <summary>A file or folder that is not used.</summary>
/// <param name="Name">Its path within the folder that was opened, with slashes.</param>
/// <param name="Reason">Why, such as "a copy of cat/1.jpg".</param>
public sealed record LeftOut(string Name, string Reason);

/// <summary>
/// The images in a folder of one's own, by their content and not by their ending: a subfolder per class, with whatever folders in it, or all
/// images of one class in the folder itself. Folders of tools, copies, and what is no image are left out and listed.
/// </summary>
[TypeFormatterSource(typeof(HtmlFormatterSource))]
public sealed class ImageFolder
{
    private const int ThumbnailSide = 96;

    // What programs leave among pictures, besides all that begins with a full stop (.git, .thumbnails, .ipynb_checkpoints, ._1.jpg).
    private static readonly string[] _toolFolders =
    [
        "@eaDir", "#recycle", "@Recycle", "@tmp", "$RECYCLE.BIN", "System Volume Information", "lost+found", "__MACOSX", "__pycache__", "node_modules",
        "thumbnails", "thumbs",
    ];

    private ImageFolder(
        string path, IReadOnlyList<string> classes, IReadOnlyList<string> files, IReadOnlyList<int> labels, IReadOnlyList<LeftOut> leftOut) =>
        (Path, Classes, Files, Labels, LeftOut) = (path, classes, files, labels, leftOut);

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>The names of the subfolders that hold images, sorted; without such, the name of the folder.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>The image files, sorted within their class.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>The class of each file.</summary>
    public IReadOnlyList<int> Labels { get; }

    /// <summary>What is not used, and why; sorted by name.</summary>
    public IReadOnlyList<LeftOut> LeftOut { get; }

    /// <summary>Lists the images of known classes: a subfolder is a class, with all that lies deeper in it.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="InvalidDataException">
    /// It holds no images, images both in itself and in subfolders, or folders whose class names are equal or empty.
    /// </exception>
    public static ImageFolder Open(string path)
    {
        var found = new Listing(Existing(path));
        string[] here = [.. found.Images.Where(image => !image.Contains('/', StringComparison.Ordinal))];
        (string Folder, string[] Images)[] classes = [.. found.Images.Except(here)
            .GroupBy(image => image[..image.IndexOf('/', StringComparison.Ordinal)])
            .Select(group => (group.Key, group.ToArray()))];
        if (here.Length > 0 && classes.Length > 0)
        {
            throw new InvalidDataException(
                $"{path} holds {here.Length} images, such as {here[0]}, beside subfolders with images ({string.Join(", ", classes.Select(entry => entry.Folder))}): of which class are they? Move them into a subfolder.");
        }

        if (here.Length > 0)
        {
            classes = [(System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path))), here)];
        }

        RequireImages(path, found);
        string[] names = [.. classes.Select(entry => ClassNames.Clean(entry.Folder))];
        RequireNames([.. classes.Select(entry => entry.Folder)], names);
        return Of(path, names, [.. classes.SelectMany((entry, k) => entry.Images.Select(image => (image, k)))], found.LeftOut);
    }

    /// <summary>Lists images of which nobody says what they show: those of a folder, whatever subfolders they lie in, or one file.</summary>
    /// <param name="path">The folder, or an image file.</param>
    /// <exception cref="DirectoryNotFoundException">There is no such folder or file.</exception>
    /// <exception cref="InvalidDataException">It holds no images.</exception>
    public static ImageFolder OpenUnsorted(string path)
    {
        if (File.Exists(path))
        {
            string reason = ImageContent.WhyNot(path) ?? "";
            return reason.Length == 0
                ? new ImageFolder(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!, ["new"], [path], [0], [])
                : throw new InvalidDataException($"{path} cannot be used: {reason}.");
        }

        var found = new Listing(Existing(path));
        RequireImages(path, found);
        return Of(path, ["new"], [.. found.Images.Select(image => (image, 0))], found.LeftOut);
    }

    /// <summary>The path of a file within the folder, with slashes.</summary>
    /// <param name="file">One of <see cref="Files"/>.</param>
    public string NameOf(string file) => System.IO.Path.GetRelativePath(Path, file).Replace('\\', '/');

    /// <summary>These images without those whose file is the same, byte for byte, as one of another folder.</summary>
    /// <param name="other">Such as the known images, of which a copy says nothing new.</param>
    public ImageFolder WithoutCopiesOf(ImageFolder other)
    {
        ArgumentNullException.ThrowIfNull(other);
        Dictionary<string, string> twins = Copies([.. other.Files, .. Files]);
        HashSet<string> theirs = [.. other.Files];
        (string File, int Label, string? Copy)[] marked = [.. Files.Select((file, i) =>
            (file, Labels[i], !theirs.Contains(file) && twins.TryGetValue(file, out string? twin) && theirs.Contains(twin) ? twin : null))];
        return new ImageFolder(
            Path,
            Classes,
            [.. marked.Where(entry => entry.Copy is null).Select(entry => entry.File)],
            [.. marked.Where(entry => entry.Copy is null).Select(entry => entry.Label)],
            [.. LeftOut.Concat(marked.Where(entry => entry.Copy is not null).Select(entry => new LeftOut(NameOf(entry.File), $"a copy of the known image {other.NameOf(entry.Copy!)}")))
                .OrderBy(entry => entry.Name, StringComparer.Ordinal)]);
    }

    /// <summary>Encodes the images. Those that cannot be read are listed in the result, and the others encoded.</summary>
    /// <param name="encoder">A model of any kind.</param>
    /// <param name="name">Name of the set, for tables and charts.</param>
    /// <param name="progress">Told after every batch.</param>
    /// <exception cref="InvalidDataException">No image could be read.</exception>
    public EncodedFolder Encode(ClipEncoder encoder, string name, IProgress<ClipProgress>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        ClipEncoding encoding = encoder.EncodeImages(Files, new ClipEncodingOptions { ThumbnailSide = ThumbnailSide, Progress = progress });
        if (encoding.Count == 0)
        {
            throw new InvalidDataException(Files.Count == 0
                ? $"Nothing is left of the images in {Path}: {string.Join("; ", LeftOut.Take(3).Select(entry => $"{entry.Name} is {entry.Reason}"))}."
                : $"None of the {Files.Count} images in {Path} could be read. The first: {encoding.Failures[0].Message}");
        }

        FeatureSet set = encoding.ToFeatureSet(name, "own images", Labels, Classes);
        return new EncodedFolder(
            new FeatureSet(set.Name, set.Split, set.Features, set.Labels, set.Classes, set.Provenance, ImageBatch.Of(encoding.Thumbnails)) { Precision = set.Precision },
            [.. encoding.Indices.Select(i => Files[i])],
            encoding.Failures);
    }

    /// <summary>What is used and what is left out, and why.</summary>
    public ResultTable ToTable()
    {
        (string What, int Count, string Such)[] rows =
        [
            .. Classes.Select((name, k) => ($"used: {name}", Labels.Count(label => label == k), "")),
            .. LeftOut.GroupBy(entry => Kind(entry.Reason)).OrderBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => ($"left out: {group.Key}", group.Count(), string.Join(", ", group.Take(3).Select(Told)) + (group.Count() > 3 ? ", …" : ""))),
        ];
        ResultTable table = new ResultTable($"{Numbers.Count(Files.Count)} images are used, {Numbers.Count(LeftOut.Count)} files and folders are not")
            .Text("What", rows.Select(row => row.What))
            .Count("Number", rows.Select(row => row.Count))
            .Text("Such as", rows.Select(row => row.Such));
        return LeftOut.Select(entry => entry.Reason).Where(reason => reason.Contains(':', StringComparison.Ordinal)).Distinct().Order(StringComparer.Ordinal)
            .Aggregate(table, (noted, reason) => noted.Note($"{reason}."));
    }

    /// <summary>The table as HTML.</summary>
    public string ToHtml() => ToTable().ToHtml();

    /// <summary>The table as aligned text.</summary>
    public override string ToString() => ToTable().ToString();

    private static string Told(LeftOut entry) => entry.Reason.Contains("copy of", StringComparison.Ordinal) ? $"{entry.Name} ({entry.Reason})" : entry.Name;

    // Copies differ in what they are copies of; what to do stands below the table.
    private static string Kind(string reason) => reason.IndexOf("copy of", StringComparison.Ordinal) is >= 0 and int at ? reason[..(at + 4)] : reason.Split(':')[0];

    private static string Existing(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Directory.Exists(path)
            ? path
            : throw new DirectoryNotFoundException($"There is no folder of images at {System.IO.Path.GetFullPath(path)}.");
    }

    private static void RequireImages(string path, Listing found)
    {
        if (found.Images.Count == 0)
        {
            string reasons = string.Join("; ", found.LeftOut.Take(3).Select(entry => $"{entry.Name}: {entry.Reason}"));
            throw new InvalidDataException(
                $"{path} holds no images, in it or in its subfolders{(reasons.Length > 0 ? $" ({reasons})" : "")}. Expected {ImageContent.Formats}.");
        }
    }

    private static void RequireNames(string[] folders, string[] names)
    {
        if (Array.FindIndex(names, string.IsNullOrWhiteSpace) is >= 0 and int empty)
        {
            throw new InvalidDataException($"The folder {folders[empty]} leaves no class name when underscores and hyphens become spaces. Rename it.");
        }

        if (Enumerable.Range(0, names.Length).GroupBy(k => names[k], StringComparer.OrdinalIgnoreCase).FirstOrDefault(group => group.Count() > 1) is { } same)
        {
            throw new InvalidDataException(
                $"The folders {string.Join(" and ", same.Select(k => folders[k]))} are both the class '{same.Key}'. Put their images into one, or rename one.");
        }
    }

    private static ImageFolder Of(string path, string[] classes, (string Image, int Label)[] images, IEnumerable<LeftOut> leftOut)
    {
        string FileOf(string image) => System.IO.Path.Combine(path, image);
        Dictionary<string, string> twins = Copies([.. images.Select(image => FileOf(image.Image))]);
        Dictionary<string, (string Image, int Label)> byFile = images.ToDictionary(image => FileOf(image.Image));

        // A picture in two classes is of neither, and so is the one that it is a copy of.
        HashSet<string> unclear = [.. twins.Where(pair => byFile[pair.Key].Label != byFile[pair.Value].Label).Select(pair => pair.Value)];
        string? Reason(string file) =>
            unclear.Contains(twins.GetValueOrDefault(file, file)) ? "in two classes (one file under both)"
            : twins.TryGetValue(file, out string? twin) ? $"a copy of {byFile[twin].Image}" : null;
        (string File, string Image, int Label, string? Reason)[] judged = [.. images.Select(image => (FileOf(image.Image), image.Image, image.Label, Reason(FileOf(image.Image))))];
        return new ImageFolder(
            path,
            classes,
            [.. judged.Where(entry => entry.Reason is null).Select(entry => entry.File)],
            [.. judged.Where(entry => entry.Reason is null).Select(entry => entry.Label)],
            [.. leftOut.Concat(judged.Where(entry => entry.Reason is not null).Select(entry => new LeftOut(entry.Image, entry.Reason!))).OrderBy(entry => entry.Name, StringComparer.Ordinal)]);
    }

    /// <summary>Files that hold the same bytes as an earlier one, and that one. Only files of equal length are read.</summary>
    private static Dictionary<string, string> Copies(IReadOnlyList<string> files)
    {
        Dictionary<string, string> result = [];
        foreach (IGrouping<long, string> sameLength in files.Distinct().GroupBy(file => new FileInfo(file).Length).Where(group => group.Count() > 1))
        {
            foreach (IGrouping<string, string> same in sameLength.GroupBy(Hash).Where(group => group.Key.Length > 0))
            {
                foreach (string copy in same.Skip(1))
                {
                    result.Add(copy, same.First());
                }
            }
        }

        return result;
    }

    // A file that cannot be read is no copy; encoding tells what is wrong with it.
    private static string Hash(string file)
    {
        try
        {
            using FileStream stream = File.OpenRead(file);
            return Convert.ToHexStringLower(SHA256.HashData(stream));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    /// <summary>The images of a folder and of the folders in it, as names with slashes, sorted.</summary>
    private sealed class Listing
    {
        public Listing(string folder)
        {
            Walk(new DirectoryInfo(folder), "");
            Images.Sort(StringComparer.Ordinal);
        }

        public List<string> Images { get; } = [];

        public List<LeftOut> LeftOut { get; } = [];

        private void Walk(DirectoryInfo folder, string prefix)
        {
            FileSystemInfo[] entries;
            try
            {
                entries = folder.GetFileSystemInfos();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                LeftOut.Add(new LeftOut(prefix, "a folder that cannot be read"));
                return;
            }

            foreach (FileSystemInfo entry in entries)
            {
                string name = prefix + entry.Name;
                bool isFolder = entry.Attributes.HasFlag(FileAttributes.Directory);
                if (WhyNot(entry, isFolder) is string reason)
                {
                    LeftOut.Add(new LeftOut(isFolder ? $"{name}/" : name, reason));
                }
                else if (isFolder)
                {
                    Walk((DirectoryInfo)entry, $"{name}/");
                }
                else
                {
                    Images.Add(name);
                }
            }
        }

        // A linked folder may lead in circles.
        private static string? WhyNot(FileSystemInfo entry, bool isFolder) =>
            entry.Name.StartsWith('.') || (isFolder && _toolFolders.Contains(entry.Name, StringComparer.OrdinalIgnoreCase)) ? "hidden, or of a tool"
            : isFolder ? entry.LinkTarget is null ? null : "a link to a folder"
            : ImageContent.WhyNot(entry.FullName);
    }
}
