using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>The images of one split of a data set in their original format, with class numbers. Images may be read from several threads at once.</summary>
internal sealed class ImageSource
{
    private readonly Func<int, RgbImage> _read;
    private readonly IReadOnlyList<string>? _files;

    /// <summary>Wraps the parts.</summary>
    /// <param name="name">The data set, such as "CIFAR-10".</param>
    /// <param name="split">Which part of it, such as "test".</param>
    /// <param name="classes">K class names.</param>
    /// <param name="labels">N class numbers, each 0 to K−1.</param>
    /// <param name="imageNames">N names, the same on every machine.</param>
    /// <param name="read">Gives the pixels of an image; callable from several threads.</param>
    /// <param name="files">N files, where each image is one.</param>
    internal ImageSource(
        string name, string split, IReadOnlyList<string> classes, IReadOnlyList<int> labels, IReadOnlyList<string> imageNames, Func<int, RgbImage> read, IReadOnlyList<string>? files = null) =>
        (Name, Split, Classes, Labels, ImageNames, _read, _files) = (name, split, classes, labels, imageNames, read, files);

    /// <summary>The data set, such as "CIFAR-10".</summary>
    public string Name { get; }

    /// <summary>Which part of it, such as "test".</summary>
    public string Split { get; }

    /// <summary>The K class names, in the order of their numbers.</summary>
    public IReadOnlyList<string> Classes { get; }

    /// <summary>The class number of each image, 0 to K−1.</summary>
    public IReadOnlyList<int> Labels { get; }

    /// <summary>
    /// A name of each image within the data set, the same on every machine: the file's path with '/', such as "images/apple_pie/1.jpg", or
    /// the place in a packed file, such as "test_batch.bin/17", counted from 0.
    /// </summary>
    public IReadOnlyList<string> ImageNames { get; }

    /// <summary>Number of images, N.</summary>
    public int Count => Labels.Count;

    /// <summary>The file of an image; null where the data set packs many images into one file.</summary>
    /// <param name="image">0 to N−1.</param>
    public string? File(int image) => _files?[image];

    /// <summary>The pixels of an image, decoded as CLIP's training decoded them (<see cref="ImageDecoder"/>).</summary>
    /// <param name="image">0 to N−1.</param>
    /// <exception cref="FileNotFoundException">The image is a file, which is not there any more.</exception>
    /// <exception cref="InvalidDataException">The image is a file that is broken; the message names it.</exception>
    public RgbImage Read(int image) => _read(image);

    /// <summary>The same images with other names of the classes.</summary>
    /// <param name="classes">K names.</param>
    internal ImageSource WithClasses(IReadOnlyList<string> classes) => new(Name, Split, classes, Labels, ImageNames, _read, _files);

    /// <summary>The same images under another name of their data set and part.</summary>
    internal ImageSource Named(string name, string split) => new(name, split, Classes, Labels, ImageNames, _read, _files);

    /// <summary>For example "CIFAR-10 test: 10,000 images of 10 classes".</summary>
    public override string ToString() => FormattableString.Invariant($"{Name} {Split}: {Count:N0} images of {Classes.Count:N0} classes");
}
