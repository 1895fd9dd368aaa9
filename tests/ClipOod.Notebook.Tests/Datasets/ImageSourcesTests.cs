using System.IO.Compression;
using System.Text;
using ClipOod.Clip;
using SkiaSharp;

namespace ClipOod.Notebook.Tests;

/// <summary>Original formats, each in small files made here.</summary>
public sealed class ImageSourcesTests : IDisposable
{
    private static readonly string[] _cifar10 = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Cifar10_IsReadColourByColour_InTheOrderOfItsBatches()
    {
        for (int batch = 1; batch <= 5; batch++)
        {
            Write($"cifar-10-batches-bin/data_batch_{batch}.bin", [(byte)batch, .. Planes(batch)]);
        }

        Write("cifar-10-batches-bin/test_batch.bin", [9, .. Planes(50), 3, .. Planes(60)]);
        Write("cifar-10-batches-bin/batches.meta.txt", string.Join('\n', _cifar10) + "\n\n");
        ImageSource train = Open("cifar10", "train"), test = Open("cifar10", "test");
        Assert.Equal([1, 2, 3, 4, 5], train.Labels);
        Assert.Equal(_cifar10, train.Classes);
        Assert.Equal(["test_batch.bin/0", "test_batch.bin/1"], test.ImageNames);
        Assert.Equal([9, 3], test.Labels);
        Assert.Null(test.File(0));
        RgbImage image = test.Read(1);
        Assert.Equal((32, 32), (image.Width, image.Height));

        // Red, green and blue of column 5 of row 2.
        Assert.Equal([At(60, 0, 2, 5), At(60, 1, 2, 5), At(60, 2, 2, 5)], image.Pixels[(3 * ((2 * 32) + 5))..][..3]);
        Assert.Equal("CIFAR-10 test: 2 images of 10 classes", test.ToString());
    }

    [Fact]
    public void Cifar100_HasItsFineLabels_AndTheTopFolderWillDo()
    {
        string[] names = [.. Enumerable.Range(0, 100).Select(i => $"fine_{i}")];
        Write("cifar-100-binary/test.bin", [19, 99, .. Planes(1)]);
        Write("cifar-100-binary/fine_label_names.txt", string.Join('\n', names));
        ImageSource test = ImageSources.Open("cifar100", _folder.PathOf("cifar-100-binary"), "test", allowPartial: true);
        Assert.Equal([99], test.Labels);
        Assert.Equal("fine 99", test.Classes[99]);
    }

    [Fact]
    public void Cifar10_WithAnotherContent_SaysWhatIsWrong()
    {
        Assert.Contains("it holds nothing, expected cifar-10-batches-bin/data_batch_1.bin", Refusal("cifar10", "train"), StringComparison.Ordinal);
        Write("cifar-10-batches-py/data_batch_1", [0]);
        Assert.Contains("This is the version for Python; the binary version is read. Unpack cifar-10-binary.tar.gz", Refusal("cifar10", "train"), StringComparison.Ordinal);
        Write("cifar-10-batches-bin/batches.meta.txt", string.Join('\n', _cifar10));
        Write("cifar-10-batches-bin/test_batch.bin", [9, .. Planes(50), 3]);
        Assert.Contains("has 3074 bytes in test_batch.bin, expected images of 3073 bytes each", Refusal("cifar10", "test"), StringComparison.Ordinal);
        Write("cifar-10-batches-bin/test_batch.bin", [10, .. Planes(50)]);
        Assert.Contains("has the label 10 in test_batch.bin, expected 0 to 9", Refusal("cifar10", "test"), StringComparison.Ordinal);
        Write("cifar-10-batches-bin/test_batch.bin", [9, .. Planes(50)]);
        Assert.Contains(
            "holds 1 images of CIFAR-10 test, expected the 10,000 that were published",
            Assert.Throws<InvalidDataException>(() => ImageSources.Open("cifar10", _folder.Path, "test")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Food101_HasItsOwnLists()
    {
        WriteImage("food-101/images/apple_pie/1.jpg", 10);
        WriteImage("food-101/images/waffles/2.jpg", 20);
        WriteImage("food-101/images/waffles/3.jpg", 30);
        Write("food-101/meta/classes.txt", "apple_pie\nwaffles\n");
        Write("food-101/meta/train.txt", "apple_pie/1\nwaffles/2\n");
        Write("food-101/meta/test.txt", "waffles/3\r\n");
        ImageSource train = Open("food101", "train"), test = Open("food101", "test");
        Assert.Equal(["apple pie", "waffles"], train.Classes);
        Assert.Equal([0, 1], train.Labels);
        Assert.Equal(["images/waffles/3.jpg"], test.ImageNames);
        Assert.Equal(_folder.PathOf("food-101/images/waffles/3.jpg"), test.File(0));

        // As CLIP's own files are decoded.
        Assert.Equal(ImageDecoder.Decode(test.File(0)!).Pixels, test.Read(0).Pixels);
        File.Delete(train.File(0)!);
        Write("food-101/meta/classes.txt", string.Join('\n', Enumerable.Range(0, 99).Select(i => $"c{i}").Concat(["apple_pie", "waffles"])));
        Assert.Contains(
            "has 1 of the 2 images that are listed, the first missing is images/apple_pie/1.jpg",
            Assert.Throws<InvalidDataException>(() => ImageSources.Open("food101", _folder.Path, "train")).Message, StringComparison.Ordinal);
        Assert.Equal([100], Open("food101", "train").Labels);
        Write("food-101/meta/train.txt", "pizza/1\n");
        Assert.Contains("lists 'pizza/1', which begins with none of its 101 classes", Refusal("food101", "train"), StringComparison.Ordinal);
    }

    [Fact]
    public void Dtd_HasTenSplits_AndAll()
    {
        WriteImage("dtd/images/banded/banded_0002.jpg", 1);
        WriteImage("dtd/images/zigzagged/zigzagged_0001.jpg", 2);
        Write("dtd/labels/val10.txt", "zigzagged/zigzagged_0001.jpg\nbanded/banded_0002.jpg\n");
        ImageSource split = Open("dtd", "val10");
        Assert.Equal(["banded", "zigzagged"], split.Classes);
        Assert.Equal([1, 0], split.Labels);
        Assert.Equal(["banded/banded_0002.jpg", "zigzagged/zigzagged_0001.jpg"], Open("dtd", "all").ImageNames);
        Assert.Equal(31, ImageSources.Splits("dtd").Count);
    }

    [Fact]
    public void CaltechFolders_LeaveTheirClutterOut()
    {
        foreach (string file in new[] { "001.ak47/001_0001.jpg", "001.ak47/RENAME2", "145.motorbikes-101/145_0001.jpg", "257.clutter/257_0001.jpg" })
        {
            WriteImage($"256_ObjectCategories/{file}", 1);
        }

        foreach (string file in new[] { "airplanes/image_0001.jpg", "BACKGROUND_Google/image_0001.jpg", "yin_yang/image_0001.jpg" })
        {
            WriteImage($"101_ObjectCategories/{file}", 1);
        }

        Assert.Equal(["ak47", "motorbikes"], Open("caltech256", "all").Classes);
        Assert.Equal(["001.ak47/001_0001.jpg", "145.motorbikes-101/145_0001.jpg"], Open("caltech256", "all").ImageNames);
        Assert.Equal(["airplanes", "yin yang"], Open("caltech101", "all").Classes);
        Assert.Contains(
            "has 2 classes, expected 256", Assert.Throws<InvalidDataException>(() => ImageSources.Open("caltech256", _folder.Path, "all")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Svhn_IsReadColumnByColumn_CompressedOrNot(bool compressed)
    {
        Write("test_32x32.mat", Mat(compressed, [.. Planes(7), .. Planes(8)], [10, 3]));
        ImageSource test = Open("svhn", "test");
        Assert.Equal([0, 3], test.Labels);
        Assert.Equal(["test_32x32.mat/0", "test_32x32.mat/1"], test.ImageNames);

        // In MATLAB the first extent, rows, runs fastest: the bytes of column 2 and row 5 lie where CIFAR has those of row 2 and column 5.
        Assert.Equal([At(8, 0, 2, 5), At(8, 1, 2, 5), At(8, 2, 2, 5)], test.Read(1).Pixels[(3 * ((5 * 32) + 2))..][..3]);
    }

    [Fact]
    public void Svhn_WithAnotherContent_SaysWhatIsWrong()
    {
        Write("train_32x32.mat", Mat(true, Planes(7), [1, 2]));
        Assert.Contains("has X of 32 x 32 x 3 x 1, type 2 and y of 2 x 1, type 2", Refusal("svhn", "train"), StringComparison.Ordinal);
        Write("train_32x32.mat", Mat(true, Planes(7), [11]));
        Assert.Contains("has the digit 11", Refusal("svhn", "train"), StringComparison.Ordinal);
        Write("train_32x32.mat", [.. Encoding.ASCII.GetBytes("MATLAB 7.3 MAT-file".PadRight(124)), 0, 2, (byte)'I', (byte)'M']);
        Assert.Contains("is of MATLAB 7.3, which is HDF5", Refusal("svhn", "train"), StringComparison.Ordinal);
        Write("train_32x32.mat", "<html>");
        Assert.Contains("has 6 bytes, expected at least 128", Refusal("svhn", "train"), StringComparison.Ordinal);
    }

    [Fact]
    public void AChangedMatFile_IsReadOrRefusedWithOneKindOfException()
    {
        (int read, int refused) = FuzzMat(seed: 1, count: 1000);
        Assert.InRange(read, 20, 980);
        Assert.Equal(1000, read + refused);
    }

    [Fact]
    public void AnImageFolder_MayHaveSplitsAndFoldersWithinClasses()
    {
        WriteImage("train/cat/1.jpg", 1);
        WriteImage("train/cat/more/2.PNG", 1);
        WriteImage("train/dog/.hidden.jpg", 1);
        WriteImage("train/dog/3.jpeg", 1);
        Write("train/dog/notes.txt", "x");
        ImageSource train = ImageSources.Open("imagefolder", _folder.Path, "train");
        Assert.Equal(["cat", "dog"], train.Classes);
        Assert.Equal(["cat/1.jpg", "cat/more/2.PNG", "dog/3.jpeg"], train.ImageNames);
        Assert.Equal(train.ImageNames, ImageSources.Open("imagefolder", _folder.PathOf("train"), "all").ImageNames);
        Assert.Contains("has no test: it holds train", Refusal("imagefolder", "test"), StringComparison.Ordinal);
    }

    [Fact]
    public void FoldersThatAreNumbers_SortAsNumbers()
    {
        foreach (int label in new[] { 0, 2, 10 })
        {
            WriteImage($"imagenetv2-matched-frequency-format-val/{label}/a.jpeg", 1);
        }

        Assert.Equal(["0", "2", "10"], Open("imagenet-v2", "all").Classes);
    }

    [Fact]
    public void AList_TakesLabelsAfterTheLastSpace_AndFindsPathsOfOtherArchives()
    {
        WriteImage("val/a dog/1 one.jpg", 1);
        WriteImage("val/cat/2.jpg", 2);
        ImageSource list = ImageSources.OpenList(_folder.Write("test_own.txt", "val/cat/2.jpg 0\n\nval/a dog/1 one.jpg 1\r\n"), _folder.Path);
        Assert.Equal(["cat", "a dog"], list.Classes);
        Assert.Equal(["val/cat/2.jpg", "val/a dog/1 one.jpg"], list.ImageNames);
        Assert.Equal([0, 1], list.Labels);

        // NINCO's list names a folder that the archive lacks, and spaces where it has underscores.
        WriteImage("amphiuma_means/x_1.jpg", 3);
        ImageSource ood = ImageSources.OpenList(_folder.Write("test_ninco.txt", "NINCO_OOD_classes/amphiuma means/x 1.jpg -1\n"), _folder.Path);
        Assert.Equal(["test_ninco"], ood.Classes);
        Assert.Equal(["amphiuma_means/x_1.jpg"], ood.ImageNames);
        Assert.Equal([0], ood.Labels);
        Assert.Equal(["x", "y"], ImageSources.OpenList(_folder.PathOf("test_own.txt"), _folder.Path, ["x", "y"]).Classes);
    }

    [Theory]
    [InlineData("../x.jpg 0", "line 1: got '../x.jpg 0'")]
    [InlineData("/etc/x.jpg 0", "line 1: got '/etc/x.jpg 0'")]
    [InlineData("x.jpg", "line 1: got 'x.jpg'")]
    [InlineData("x.jpg one", "line 1")]
    [InlineData("x.jpg -2", "line 1")]
    [InlineData("x.jpg 100000", "line 1")]
    [InlineData("", "lists 0 images")]
    [InlineData("x.jpg 0\ny.jpg -1", "lists 2 images, 1 of them with the label −1")]
    [InlineData("x.jpg 0\ny.jpg 0", "has 1 of the 2 images that are listed, the first missing is y.jpg")]
    public void AnotherList_IsRefusedWithItsReason(string text, string reason)
    {
        WriteImage("x.jpg", 1);
        string list = _folder.Write("list.txt", text);
        Assert.Contains(reason, Assert.Throws<InvalidDataException>(() => ImageSources.OpenList(list, _folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AList_MayBeOfAPart()
    {
        WriteImage("x.jpg", 1);
        Assert.Equal(["x.jpg"], ImageSources.OpenList(_folder.Write("list.txt", "x.jpg 0\ny.jpg 1"), _folder.Path, allowPartial: true).ImageNames);
    }

    [Fact]
    public void AChangedList_IsReadOrRefusedWithOneKindOfException()
    {
        WriteImage("val/cat/2.jpg", 2);
        byte[] list = Encoding.UTF8.GetBytes("val/cat/2.jpg 0\nval/dög/3.jpg 1\n");
        Random random = new(1);
        int read = 0;
        for (int i = 0; i < 500; i++)
        {
            try
            {
                read += Math.Sign(ImageSources.OpenList(_folder.Write("list.txt", Mutator.Change(list, random)), _folder.Path, allowPartial: true).Count);
            }
            catch (InvalidDataException error)
            {
                Assert.NotEmpty(error.Message);
            }
        }

        Assert.InRange(read, 20, 480);
    }

    [Fact]
    public void UnknownNames_AreToldWithThoseThereAre()
    {
        Assert.Contains("known are: caltech101, caltech256, cifar10", Assert.Throws<ArgumentException>(() => ImageSources.Open("cifar", _folder.Path, "test")).Message, StringComparison.Ordinal);
        Assert.Contains("CIFAR-10 has no split 'val', it has: train, test", Assert.Throws<ArgumentException>(() => ImageSources.Open("cifar10", _folder.Path, "val")).Message, StringComparison.Ordinal);
        Assert.Throws<DirectoryNotFoundException>(() => ImageSources.Open("cifar10", _folder.PathOf("none"), "test"));
        Assert.Throws<DirectoryNotFoundException>(() => ImageSources.OpenList(_folder.Write("list.txt", "x 0"), _folder.PathOf("none")));
        Assert.Throws<FileNotFoundException>(() => ImageSources.OpenList(_folder.PathOf("none.txt"), _folder.Path));
    }

    /// <summary>Changes small .mat files in a few places each; whatever else is thrown than InvalidDataException fails the test.</summary>
    private (int Read, int Refused) FuzzMat(int seed, int count)
    {
        byte[][] files = [Mat(true, Planes(7), [1]), Mat(false, [1, 2, 3], [1, 2, 3]), Mat(true, [1, 2, 3], [1, 2, 3])];
        Random random = new(seed);
        int read = 0;
        for (int i = 0; i < count; i++)
        {
            string path = _folder.Write("x.mat", Mutator.Change(files[random.Next(files.Length)], random));
            try
            {
                read += Math.Sign(MatFile.Read(path, "X", "y").Values.Sum(array => array.ToNumbers().Length + 1) + 1);
            }
            catch (InvalidDataException error)
            {
                Assert.StartsWith($"{path}: ", error.Message, StringComparison.Ordinal);
            }
        }

        return (read, count - read);
    }

    private ImageSource Open(string name, string split) => ImageSources.Open(name, _folder.Path, split, allowPartial: true);

    private string Refusal(string name, string split) => Assert.Throws<InvalidDataException>(() => Open(name, split)).Message;

    private void Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    private void Write(string name, byte[] bytes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder.PathOf(name))!);
        _folder.Write(name, bytes);
    }

    private void WriteImage(string name, byte grey)
    {
        using SKBitmap bitmap = new(9, 7);
        bitmap.Erase(new SKColor(grey, grey, 200));
        using SKData jpeg = bitmap.Encode(SKEncodedImageFormat.Jpeg, 90);
        Write(name, jpeg.ToArray());
    }

    /// <summary>32 × 32 values of each colour, all places told apart.</summary>
    private static byte[] Planes(int seed) =>
        [.. from colour in Enumerable.Range(0, 3) from row in Enumerable.Range(0, 32) from column in Enumerable.Range(0, 32) select At(seed, colour, row, column)];

    private static byte At(int seed, int colour, int row, int column) => (byte)((seed * 31) + (colour * 7) + (row * 32) + (column * 3));

    /// <summary>A MATLAB file of level 5 with X, bytes of a last extent as is due, and y, doubles stored as bytes, as MATLAB does.</summary>
    private static byte[] Mat(bool compressed, byte[] x, byte[] y)
    {
        int images = x.Length / 3072;
        byte[] matrixX = Matrix("X", 9, images > 0 ? [32, 32, 3, images] : [x.Length, 1], x), matrixY = Matrix("y", 6, [y.Length, 1], y);
        return [.. Encoding.ASCII.GetBytes("MATLAB 5.0 MAT-file".PadRight(124)), 0, 1, (byte)'I', (byte)'M', .. Element(matrixX), .. Element(matrixY)];

        byte[] Element(byte[] matrix)
        {
            if (!compressed)
            {
                return matrix;
            }

            MemoryStream stream = new();
            using (ZLibStream zlib = new(stream, CompressionLevel.Optimal, leaveOpen: true))
            {
                zlib.Write(matrix);
            }

            return [.. Tag(15, (int)stream.Length), .. stream.ToArray()];
        }
    }

    private static byte[] Matrix(string name, byte kind, int[] dimensions, byte[] values)
    {
        byte[] parts =
        [
            .. Tag(6, 8), kind, 0, 0, 0, 0, 0, 0, 0,
            .. Part(5, [.. dimensions.SelectMany(BitConverter.GetBytes)]),

            // A name of up to four letters lies within its tag.
            1, 0, (byte)name.Length, 0, .. Encoding.ASCII.GetBytes(name.PadRight(4, '\0')),
            .. Part(2, values),
        ];
        return [.. Tag(14, parts.Length), .. parts];
    }

    private static byte[] Part(int type, byte[] bytes) => [.. Tag(type, bytes.Length), .. bytes, .. new byte[(8 - (bytes.Length % 8)) % 8]];

    private static byte[] Tag(int type, int length) => [.. BitConverter.GetBytes(type), .. BitConverter.GetBytes(length)];
}
