using System.Globalization;
using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>A data set as its authors publish it.</summary>
/// <param name="Title">Its name for readers.</param>
/// <param name="Layout">What its unpacked archives hold.</param>
/// <param name="Archives">The archives to unpack.</param>
/// <param name="Classes">The published number of classes; null where it is not fixed.</param>
/// <param name="Splits">The published number of images of each split; null where it is not known.</param>
/// <param name="Open">Reads a split.</param>
internal sealed record DatasetFormat(
    string Title, string Layout, string Archives, int? Classes, IReadOnlyDictionary<string, int?> Splits, Func<DatasetFolder, ImageSource> Open)
{
    /// <summary>What to do about a folder that does not hold it whole.</summary>
    public string Remedy => $"Unpack {Archives} into it again, or allow a part of the images.";
}

/// <summary>The formats by name. Layouts and numbers: the data sets' own pages, torchvision and TensorFlow Datasets.</summary>
internal static class DatasetFormats
{
    public static IReadOnlyDictionary<string, DatasetFormat> All { get; } = new SortedDictionary<string, DatasetFormat>(StringComparer.Ordinal)
    {
        ["cifar10"] = new(
            "CIFAR-10", "cifar-10-batches-bin/data_batch_1.bin to data_batch_5.bin, test_batch.bin and batches.meta.txt", "cifar-10-binary.tar.gz", 10,
            Splits(("train", 50000), ("test", 10000)),
            folder => Cifar.Open(
                folder, "cifar-10-batches-bin", folder.Split == "test" ? ["test_batch.bin"] : [.. Enumerable.Range(1, 5).Select(i => $"data_batch_{i}.bin")], "batches.meta.txt", labelBytes: 1)),
        ["cifar100"] = new(
            "CIFAR-100", "cifar-100-binary/train.bin, test.bin and fine_label_names.txt", "cifar-100-binary.tar.gz", 100,
            Splits(("train", 50000), ("test", 10000)),
            folder => Cifar.Open(folder, "cifar-100-binary", [$"{folder.Split}.bin"], "fine_label_names.txt", labelBytes: 2)),
        ["food101"] = new(
            "Food-101", "food-101/images/CLASS/*.jpg and food-101/meta/classes.txt, train.txt, test.txt", "food-101.tar.gz", 101,
            Splits(("train", 75750), ("test", 25250)),
            OpenFood101),
        ["dtd"] = new(
            "DTD", "dtd/images/CLASS/*.jpg and dtd/labels/train1.txt, val1.txt, test1.txt", "dtd-r1.0.1.tar.gz", 47,
            Splits([.. from part in new[] { "train", "val", "test" } from i in Enumerable.Range(1, 10) select ($"{part}{i}", (int?)1880), ("all", 5640)]),
            OpenDtd),
        ["caltech101"] = new(
            "Caltech-101", "101_ObjectCategories/CLASS/image_NNNN.jpg", "caltech-101.zip and the 101_ObjectCategories.tar.gz in it", 101,
            Splits(("all", 8677)),
            folder => folder.OfClasses(folder.Find("airplanes", "101_ObjectCategories", "caltech-101/101_ObjectCategories"), leftOut: "BACKGROUND_Google")),

        // 30,607 images less the 827 of the clutter class, which is no object.
        ["caltech256"] = new(
            "Caltech-256", "256_ObjectCategories/NNN.name/NNN_NNNN.jpg", "256_ObjectCategories.tar", 256,
            Splits(("all", 29780)),
            folder => folder.OfClasses(folder.Find("001.ak47", "256_ObjectCategories"), leftOut: "257.clutter")),
        ["svhn"] = new(
            "SVHN", "train_32x32.mat, test_32x32.mat", "nothing: copy the .mat files", 10,
            Splits(("train", 73257), ("test", 26032), ("extra", 531131)),
            Svhn.Open),
        ["eurosat"] = new(
            "EuroSAT", "2750/CLASS/CLASS_N.jpg", "EuroSAT.zip", 10,
            Splits(("all", 27000)),
            folder => folder.OfClasses(folder.Find("AnnualCrop", "2750", "EuroSAT_RGB"))),
        ["imagenette"] = new(
            "Imagenette", "imagenette2/train/WNID/*.JPEG and val/WNID/*.JPEG", "imagenette2.tgz, imagenette2-320.tgz or imagenette2-160.tgz", 10,
            Splits(("train", 9469), ("val", 3925)),
            folder => folder.OfClasses(folder.Find($"{folder.Split}/n01440764", "imagenette2", "imagenette2-320", "imagenette2-160") + $"/{folder.Split}")),
        ["imagenet-a"] = new(
            "ImageNet-A", "imagenet-a/WNID/*.jpg", "imagenet-a.tar", 200, Splits(("all", null)), folder => folder.OfClasses(folder.Find("README.txt", "imagenet-a"))),
        ["imagenet-o"] = new(
            "ImageNet-O", "imagenet-o/WNID/*.JPEG", "imagenet-o.tar", 200, Splits(("all", 2000)), folder => folder.OfClasses(folder.Find("README.txt", "imagenet-o"))),
        ["imagenet-r"] = new(
            "ImageNet-R", "imagenet-r/WNID/*.jpg", "imagenet-r.tar", 200, Splits(("all", 30000)), folder => folder.OfClasses(folder.Find("README.txt", "imagenet-r"))),
        ["imagenet-sketch"] = new(
            "ImageNet-Sketch", "sketch/WNID/*.JPEG", "ImageNet-Sketch.zip", 1000, Splits(("all", 50000)), folder => folder.OfClasses(folder.Find("n01440764", "sketch"))),

        // Its folders are class numbers, which sort as numbers.
        ["imagenet-v2"] = new(
            "ImageNetV2", "imagenetv2-matched-frequency-format-val/0 to 999, with 10 images each", "imagenetv2-matched-frequency.tar.gz", 1000,
            Splits(("all", 10000)),
            folder => folder.OfClasses(folder.Find(
                "0", "imagenetv2-matched-frequency-format-val", "imagenetv2-threshold0.7-format-val", "imagenetv2-top-images-format-val"))),
        ["ninco"] = new(
            "NINCO", "NINCO/NINCO_OOD_classes/CLASS/*.jpg", "NINCO_all.tar.gz", 64, Splits(("all", 5879)),
            folder => folder.OfClasses(folder.Find("NINCO_OOD_classes", "NINCO") + "/NINCO_OOD_classes")),
        ["imagefolder"] = new(
            "the image folder", "a folder for each class, with images in it", "nothing: put a folder of images for each class", null,
            Splits(),
            folder => folder.OfClasses(folder.Split == "all" ? folder.Path : folder.Find(folder.Split) + $"/{folder.Split}", recursive: true)),
    };

    private static OrderedDictionary<string, int?> Splits(params (string Name, int? Images)[] splits) => new(splits.Select(split => KeyValuePair.Create(split.Name, split.Images)));

    private static ImageSource OpenFood101(DatasetFolder folder)
    {
        string root = folder.Find("meta/classes.txt", "food-101");
        string[] classes = folder.Lines(root, "meta/classes.txt");
        return folder.OfFiles(root, classes, folder.Lines(root, $"meta/{folder.Split}.txt").Select(line => (folder.ClassOf(line, classes), $"images/{line}.jpg")));
    }

    private static ImageSource OpenDtd(DatasetFolder folder)
    {
        string root = folder.Find("labels", "dtd");
        if (folder.Split == "all")
        {
            return folder.OfClasses($"{root}/images");
        }

        string[] lines = folder.Lines(root, $"labels/{folder.Split}.txt");
        string[] classes = [.. lines.Select(line => line.Split('/')[0]).Distinct().Order(StringComparer.Ordinal)];
        return folder.OfFiles(root, classes, lines.Select(line => (folder.ClassOf(line, classes), $"images/{line}")));
    }
}

/// <summary>A folder that is read as a data set.</summary>
/// <param name="Format">The data set.</param>
/// <param name="Path">The folder, its full path.</param>
/// <param name="Split">The split to read.</param>
/// <param name="AllowPartial">Whether images may be missing.</param>
internal sealed record DatasetFolder(DatasetFormat Format, string Path, string Split, bool AllowPartial)
{
    // Those of torchvision's ImageFolder, and GIF.
    private static readonly string[] _endings = [".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp", ".gif"];

    /// <summary>The folder that holds a file or folder of the data set: this one, or the top folder of its archive in it.</summary>
    /// <param name="marker">The path that it holds.</param>
    /// <param name="tops">The top folders of its archives.</param>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public string Find(string marker, params string[] tops) =>
        tops.Select(top => $"{Path}/{top}").Append(Path).FirstOrDefault(root => File.Exists($"{root}/{marker}") || Directory.Exists($"{root}/{marker}"))
            ?? throw Invalid($"has no {marker}: it holds {Held(Path)}, expected {Format.Layout}. {OtherVersion()}{Format.Remedy}");

    /// <summary>The lines of a text that are not empty.</summary>
    /// <exception cref="InvalidDataException">There is no such text, or it is empty.</exception>
    public string[] Lines(string root, string file)
    {
        string[] lines = File.Exists($"{root}/{file}")
            ? [.. File.ReadLines($"{root}/{file}").Select(line => line.Trim()).Where(line => line.Length > 0)]
            : throw Invalid($"has no {file}: expected {Format.Layout}. {Format.Remedy}");
        return lines.Length > 0 ? lines : throw Invalid($"has an empty {file}. {Format.Remedy}");
    }

    /// <summary>The number of the class whose folder a path begins with.</summary>
    public int ClassOf(string path, string[] classes) => Array.IndexOf(classes, path.Split('/')[0]) is >= 0 and int label
        ? label
        : throw Invalid($"lists '{path}', which begins with none of its {classes.Length} classes. {Format.Remedy}");

    /// <summary>The images of a folder with a folder for each class.</summary>
    /// <param name="root">The folder.</param>
    /// <param name="leftOut">A folder of no class.</param>
    /// <param name="recursive">Whether images in folders of a class's folder count.</param>
    public ImageSource OfClasses(string root, string? leftOut = null, bool recursive = false)
    {
        string[] classes =
        [
            .. (Directory.Exists(root) ? Directory.GetDirectories(root) : [])
                .Select(folder => System.IO.Path.GetFileName(folder)!)
                .Where(folder => folder != leftOut && !folder.StartsWith('.') && folder != "__MACOSX")
                .OrderBy(folder => int.TryParse(folder, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : int.MaxValue)
                .ThenBy(folder => folder, StringComparer.Ordinal),
        ];
        return OfFiles(root, classes, classes.SelectMany((folder, label) => Directory
            .EnumerateFiles($"{root}/{folder}", "*", recursive ? SearchOption.AllDirectories : SearchOption.TopDirectoryOnly)
            .Where(file => _endings.Contains(System.IO.Path.GetExtension(file).ToLowerInvariant()) && !System.IO.Path.GetFileName(file).StartsWith('.'))
            .Select(file => System.IO.Path.GetRelativePath(root, file).Replace('\\', '/'))
            .Order(StringComparer.Ordinal)
            .Select(file => (label, file))));
    }

    /// <summary>The images at paths within a folder.</summary>
    /// <exception cref="InvalidDataException">The number of classes is not the published one, or images are missing.</exception>
    public ImageSource OfFiles(string root, IReadOnlyList<string> classes, IEnumerable<(int Label, string Name)> images)
    {
        RequireClasses(classes.Count);
        (int Label, string Name)[] listed = [.. images];
        return FileImages.Open(Format.Title, Split, root, [.. classes.Select(ClassNames.Clean)], listed, AllowPartial, Format.Remedy);
    }

    /// <exception cref="InvalidDataException">The number of classes is not the published one.</exception>
    public void RequireClasses(int count)
    {
        if (count == 0 || (Format.Classes is int published && count != published && !(AllowPartial && count < published)))
        {
            throw Invalid($"has {count} classes, expected {Format.Classes?.ToString(CultureInfo.InvariantCulture) ?? "one or more"}: {Format.Layout}. {Format.Remedy}");
        }
    }

    /// <summary>What is wrong with the folder.</summary>
    public InvalidDataException Invalid(string problem) => new($"{Path}, read as {Format.Title} {Split}, {problem}");

    private static string Held(string folder)
    {
        const int Most = 8;
        string[] names = [.. Directory.EnumerateFileSystemEntries(folder).Select(entry => System.IO.Path.GetFileName(entry)!).Order(StringComparer.Ordinal).Take(Most + 1)];
        return names.Length == 0 ? "nothing" : string.Join(", ", names.Take(Most)) + (names.Length > Most ? ", ..." : "");
    }

    // The archive that others load from Python holds pickles, which are not read.
    private string OtherVersion() => Directory.EnumerateDirectories(Path, "cifar-*").Select(System.IO.Path.GetFileName).Append(System.IO.Path.GetFileName(Path))
        .Any(name => name is "cifar-10-batches-py" or "cifar-100-python")
            ? "This is the version for Python; the binary version is read. "
            : "";
}
