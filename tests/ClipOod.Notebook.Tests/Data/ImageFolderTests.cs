namespace ClipOod.Notebook.Tests.Data;

/// <summary>The one door for a user's images.</summary>
public sealed class ImageFolderTests : IDisposable
{
    private static readonly ImageBatch _pictures = Noise();

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void FoldersOfTools_AreNoClasses()
    {
        string[] tools = [".ipynb_checkpoints", ".thumbnails", ".git", "@eaDir", "__MACOSX", "node_modules", "Thumbnails", "cat/@eaDir", "cat/.git"];
        Put("cat/1.png", 0);
        foreach ((string tool, int i) in tools.Select((tool, i) => (tool, i)))
        {
            Put($"{tool}/1.png", 1 + i);
        }

        Put("cat/._1.png", 10);
        ImageFolder opened = ImageFolder.Open(_folder.Path);
        Assert.Equal(["cat"], opened.Classes);
        Assert.Equal(["cat/1.png"], opened.Files.Select(opened.NameOf));
        Assert.Equal(tools.Select(tool => $"{tool}/").Append("cat/._1.png").Order(StringComparer.Ordinal), opened.LeftOut.Select(entry => entry.Name));
        Assert.All(opened.LeftOut, entry => Assert.Equal("hidden, or of a tool", entry.Reason));
    }

    [Theory]
    [InlineData("snow_cat", "snow-cat", "snow_cat")]
    [InlineData("Cat", "cat", "Cat and cat")]
    [InlineData("___", "dog", "The folder ___ leaves no class name")]
    public void EqualAndEmptyNames_AreRefused_NamingTheFolders(string first, string second, string named)
    {
        Put($"{first}/1.png", 0);
        Put($"{second}/1.png", 1);
        if (OperatingSystem.IsLinux() || named.Contains('_', StringComparison.Ordinal))
        {
            Assert.Contains(named, Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_folder.Path)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Copies_CountOnce_AndInTwoClassesNotAtAll()
    {
        Put("cat/1.png", 0);
        Put("cat/2.png", 0);
        Put("cat/3.png", 1);
        Put("dog/1.png", 2);
        Put("dog/2.png", 1);
        ImageFolder opened = ImageFolder.Open(_folder.Path);
        Assert.Equal(["cat/1.png", "dog/1.png"], opened.Files.Select(opened.NameOf));
        Assert.Equal([0, 1], opened.Labels);
        Assert.Equal(
            [("cat/2.png", "a copy of cat/1.png"), ("cat/3.png", "in two classes (one file under both)"), ("dog/2.png", "in two classes (one file under both)")],
            opened.LeftOut.Select(entry => (entry.Name, entry.Reason)));
        Assert.Contains("cat/2.png (a copy of cat/1.png)", opened.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void CopiesOfKnownImages_AreNoNewOnes()
    {
        using TemporaryFolder street = new();
        Put("cat/1.png", 0);
        Put("cat/2.png", 1);
        File.WriteAllBytes(street.PathOf("a.png"), _pictures.ToPng(1));
        File.WriteAllBytes(street.PathOf("b.png"), _pictures.ToPng(2));
        ImageFolder known = ImageFolder.Open(_folder.Path), arriving = ImageFolder.OpenUnsorted(street.Path).WithoutCopiesOf(known);
        Assert.Equal(["b.png"], arriving.Files.Select(arriving.NameOf));
        Assert.Equal(new LeftOut("a.png", "a copy of the known image cat/2.png"), Assert.Single(arriving.LeftOut));
    }

    [Fact]
    public void DeeperFolders_BelongToTheirClass()
    {
        Put("cat/2021/may/1.png", 0);
        Put("cat/2.png", 1);
        Put("dog/a/1.png", 2);
        ImageFolder opened = ImageFolder.Open(_folder.Path);
        Assert.Equal(["cat/2.png", "cat/2021/may/1.png", "dog/a/1.png"], opened.Files.Select(opened.NameOf));
        Assert.Equal([0, 0, 1], opened.Labels);
        Assert.Equal(3, ImageFolder.OpenUnsorted(_folder.Path).Files.Count);
    }

    [Fact]
    public void TheContentTells_NotTheEnding()
    {
        byte[] png = _pictures.ToPng(0);
        (string Name, byte[] Bytes, string? Reason)[] files =
        [
            ("1", _pictures.ToPng(1), null), ("2.jfif", _pictures.ToPng(2), null), ("3.txt", _pictures.ToPng(3), null),
            ("4.ppm", [.. "P6 1 1 255\n"u8, 1, 2, 3], null), ("5.tif", [.. "II*\0"u8, 0, 0, 0, 0], null), ("6.jpe", [0xFF, 0xD8, 0xFF, 0xE0], null),
            ("a.heic", Branded("heic"), "HEIC"), ("b.jpg", Branded("mif1"), "HEIC"), ("c.avif", Branded("avif"), "AVIF"),
            ("d.jpg", [.. "<html>not found</html>"u8], "broken"), ("e.png", [], "empty"), ("f.csv", [.. "a,b"u8], "no image"), ("g.mov", Branded("qt  "), "no image"),
        ];
        foreach ((string name, byte[] bytes, _) in files)
        {
            _folder.Write(name, bytes);
        }

        ImageFolder opened = ImageFolder.Open(_folder.Path);
        Assert.Equal(files.Where(file => file.Reason is null).Select(file => file.Name), opened.Files.Select(opened.NameOf));
        Assert.Equal(files.Where(file => file.Reason is not null).Select(file => file.Name), opened.LeftOut.Select(entry => entry.Name));
        Assert.All(files.Where(file => file.Reason is not null).Zip(opened.LeftOut), pair => Assert.StartsWith(pair.First.Reason!, pair.Second.Reason, StringComparison.Ordinal));
        Assert.Contains("Most Compatible", opened.LeftOut[0].Reason, StringComparison.Ordinal);
        Assert.Contains("6 images are used, 7 files and folders are not", opened.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void LinkedFolders_AreLeftOut_ForTheyMayLeadInCircles()
    {
        Put("cat/1.png", 0);
        try
        {
            Directory.CreateSymbolicLink(_folder.PathOf("cat/round"), _folder.Path);
        }
        catch (IOException) when (OperatingSystem.IsWindows())
        {
            return; // links need a right there
        }

        Assert.Equal(new LeftOut("cat/round/", "a link to a folder"), Assert.Single(ImageFolder.Open(_folder.Path).LeftOut));
    }

    [Fact]
    public void NothingToUse_SaysWhatThereIs()
    {
        Assert.Contains("There is no folder", Assert.Throws<DirectoryNotFoundException>(() => ImageFolder.Open(_folder.PathOf("none"))).Message, StringComparison.Ordinal);
        _folder.Write("a.heic", Branded("heic"));
        Assert.Contains("a.heic: HEIC", Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_folder.Path)).Message, StringComparison.Ordinal);
        Assert.Contains("HEIC", Assert.Throws<InvalidDataException>(() => ImageFolder.OpenUnsorted(_folder.PathOf("a.heic"))).Message, StringComparison.Ordinal);
        Put("cat/1.png", 0);
        Put("2.png", 1);
        Assert.Contains("2.png, beside subfolders with images (cat)", Assert.Throws<InvalidDataException>(() => ImageFolder.Open(_folder.Path)).Message, StringComparison.Ordinal);
    }

    private void Put(string name, int picture)
    {
        string path = _folder.PathOf(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, _pictures.ToPng(picture));
    }

    private static byte[] Branded(string brand) => [0, 0, 0, 24, .. "ftyp"u8, .. System.Text.Encoding.ASCII.GetBytes(brand), 0, 0, 0, 0];

    private static ImageBatch Noise()
    {
        byte[] pixels = new byte[12 * 8 * 8 * 3];
        new Random(5).NextBytes(pixels);
        return new ImageBatch(12, 8, 8, pixels);
    }
}
