using System.Globalization;
using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>Images that are files.</summary>
internal static class FileImages
{
    /// <summary>Whether a path leads from a folder to a place within it.</summary>
    /// <param name="path">A path with '/'.</param>
    public static bool IsWithin(string path) =>
        path.Length > 0 && path[0] != '/' && path.IndexOfAny([':', '\0', '\\']) < 0 && !path.Split('/').Contains("..");

    /// <summary>The images that are there, of those that a data set lists.</summary>
    /// <param name="name">The data set.</param>
    /// <param name="split">Which part of it.</param>
    /// <param name="root">The folder that their names start from.</param>
    /// <param name="classes">The class names.</param>
    /// <param name="listed">Class number and path of each, with '/'.</param>
    /// <param name="allowPartial">Whether some may be missing.</param>
    /// <param name="remedy">What to do about missing ones.</param>
    /// <exception cref="InvalidDataException">Images are missing, or all of them, or a path leads out of the folder.</exception>
    public static ImageSource Open(
        string name, string split, string root, IReadOnlyList<string> classes, IReadOnlyList<(int Label, string Name)> listed, bool allowPartial, string remedy)
    {
        if (listed.FirstOrDefault(image => !IsWithin(image.Name)).Name is { } outside)
        {
            throw new InvalidDataException($"{root}, read as {name} {split}, lists '{outside}', which lies outside of it. {remedy}");
        }

        (int Label, string Name)[] here = [.. listed.Where(image => File.Exists($"{root}/{image.Name}"))];
        if (here.Length == 0 || (here.Length < listed.Count && !allowPartial))
        {
            string first = listed.Select(image => image.Name).Except(here.Select(image => image.Name)).FirstOrDefault() is { } missing ? $", the first missing is {missing}" : "";
            throw new InvalidDataException(string.Create(
                CultureInfo.InvariantCulture, $"{root}, read as {name} {split}, has {here.Length:N0} of the {listed.Count:N0} images that are listed{first}. {remedy}"));
        }

        string[] files = [.. here.Select(image => Path.Combine(root, image.Name))];
        return new ImageSource(
            name, split, classes, [.. here.Select(image => image.Label)], [.. here.Select(image => image.Name)], image => ImageDecoder.Decode(files[image]), files);
    }
}
