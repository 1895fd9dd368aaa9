using System.Globalization;
using ClipOod.Clip;

namespace ClipOod.Notebook;

/// <summary>The binary versions of CIFAR-10 and CIFAR-100: records of one or two labels and 32 × 32 values of red, of green and of blue.</summary>
/// <remarks>Format: www.cs.toronto.edu/~kriz/cifar.html. Of CIFAR-100's two labels the second, fine one is taken.</remarks>
internal static class Cifar
{
    public static ImageSource Open(DatasetFolder folder, string top, IReadOnlyList<string> files, string namesFile, int labelBytes)
    {
        string root = folder.Find(files[0], top);
        string[] classes = folder.Lines(root, namesFile);
        folder.RequireClasses(classes.Length);
        int length = labelBytes + PackedImages.Length;
        List<byte[]> parts = [];
        List<int> labels = [];
        List<string> names = [];
        List<(int Part, int At)> places = [];
        foreach (string file in files.Where(file => File.Exists($"{root}/{file}") || !folder.AllowPartial))
        {
            byte[] bytes = File.Exists($"{root}/{file}") ? File.ReadAllBytes($"{root}/{file}") : throw folder.Invalid($"has no {file}. {folder.Format.Remedy}");
            if (bytes.Length == 0 || bytes.Length % length != 0)
            {
                throw folder.Invalid($"has {bytes.Length} bytes in {file}, expected images of {length} bytes each. {folder.Format.Remedy}");
            }

            for (int at = 0; at < bytes.Length; at += length)
            {
                int label = bytes[at + labelBytes - 1];
                labels.Add(label < classes.Length ? label : throw folder.Invalid($"has the label {label} in {file}, expected 0 to {classes.Length - 1}. {folder.Format.Remedy}"));
                names.Add(string.Create(CultureInfo.InvariantCulture, $"{file}/{at / length}"));
                places.Add((parts.Count, at + labelBytes));
            }

            parts.Add(bytes);
        }

        return new ImageSource(
            folder.Format.Title, folder.Split, [.. classes.Select(ClassNames.Clean)], labels, names,
            i => PackedImages.Read(parts[places[i].Part].AsSpan(places[i].At, PackedImages.Length), byColumns: false));
    }
}

/// <summary>SVHN's cropped digits: a MATLAB file with X, 32 × 32 × 3 × N bytes, and y, the N digits with 10 for 0.</summary>
/// <remarks>Format: ufldl.stanford.edu/housenumbers; classes are the digits 0 to 9 here, as in torchvision.</remarks>
internal static class Svhn
{
    public static ImageSource Open(DatasetFolder folder)
    {
        string file = $"{folder.Split}_32x32.mat";
        string path = $"{folder.Find(file, "svhn", "SVHN")}/{file}";
        IReadOnlyDictionary<string, MatArray> arrays = MatFile.Read(path, "X", "y");
        (MatArray x, MatArray y) = (Array("X"), Array("y"));
        int count = y.Dimensions.Aggregate(1, (product, extent) => product * extent);
        bool isFitting = x.Dimensions.SequenceEqual([32, 32, 3, count]) || (count == 1 && x.Dimensions.SequenceEqual([32, 32, 3]));
        if (!isFitting || MatArray.SizeOf(x.Type) != 1)
        {
            throw folder.Invalid($"has X of {x} and y of {y} in {file}, expected 32 x 32 x 3 x N bytes and N numbers. {folder.Format.Remedy}");
        }

        int[] digits = [.. y.ToNumbers().Select(digit => digit is >= 1 and <= 10 && digit == Math.Floor(digit)
            ? (int)digit % 10
            : throw folder.Invalid(string.Create(CultureInfo.InvariantCulture, $"has the digit {digit} in {file}, expected 1 to 10. {folder.Format.Remedy}")))];
        return new ImageSource(
            folder.Format.Title, folder.Split, [.. Enumerable.Range(0, 10).Select(digit => digit.ToString(CultureInfo.InvariantCulture))], digits,
            [.. Enumerable.Range(0, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"{file}/{i}"))],
            i => PackedImages.Read(x.Bytes.AsSpan(i * PackedImages.Length, PackedImages.Length), byColumns: true));

        MatArray Array(string name) => arrays.TryGetValue(name, out MatArray? array) ? array : throw folder.Invalid($"has no {name} in {file}. {folder.Format.Remedy}");
    }
}

/// <summary>Images of 32 × 32 pixels that lie in memory colour by colour.</summary>
internal static class PackedImages
{
    /// <summary>Bytes of an image.</summary>
    public const int Length = 3 * Side * Side;

    private const int Side = 32;

    /// <summary>The image with red, green and blue of a pixel side by side.</summary>
    /// <param name="planes">32 × 32 values of each colour.</param>
    /// <param name="byColumns">Whether they lie column by column, as in MATLAB.</param>
    public static RgbImage Read(ReadOnlySpan<byte> planes, bool byColumns)
    {
        byte[] pixels = new byte[Length];
        for (int colour = 0; colour < 3; colour++)
        {
            for (int i = 0; i < Side * Side; i++)
            {
                int from = byColumns ? (i % Side * Side) + (i / Side) : i;
                pixels[(3 * i) + colour] = planes[(colour * Side * Side) + from];
            }
        }

        return new RgbImage(Side, Side, pixels);
    }
}
