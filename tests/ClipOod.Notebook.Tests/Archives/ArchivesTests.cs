using System.Formats.Tar;
using System.IO.Compression;
using System.Text;

namespace ClipOod.Notebook.Tests;

/// <summary>Archives come out whole within their folder, or not at all.</summary>
public sealed class ArchivesTests : IDisposable
{
    private static readonly (string Name, string Text)[] _files = [("top/a.txt", "first"), ("top/sub/b.txt", "second"), ("top/empty.txt", "")];

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string> Kinds => ["zip", "tar", "tar.gz"];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Kinds))]
    public void AnArchive_IsUnpackedWhateverItsEnding(string kind)
    {
        string target = _folder.PathOf("data/out");
        Unpack(_folder.Write("archive.bin", Make(kind, _files)), target);
        Assert.Equal(["top/a.txt", "top/empty.txt", "top/sub/b.txt"], FilesIn(target));
        Assert.Equal("second", File.ReadAllText($"{target}/top/sub/b.txt"));
        Assert.Equal(["out", "out.unpacking.lock"], Entries(_folder.PathOf("data")));
    }

    [Fact]
    public void AFileOfGzip_LosesItsEnding()
    {
        Unpack(_folder.Write("t10k-labels.gz", Gzip("abc"u8.ToArray())), _folder.PathOf("out"));
        Assert.Equal("abc", File.ReadAllText(_folder.PathOf("out/t10k-labels")));
    }

    [Fact]
    public void ASecondArchive_JoinsTheFirst_AndReplacesNothing()
    {
        string target = _folder.PathOf("out");
        Unpack(_folder.Write("1.zip", Make("zip", [("a/1", "one")])), target);
        Unpack(_folder.Write("2.zip", Make("zip", [("b/2", "two")])), target);
        IOException error = Assert.Throws<IOException>(() => Unpack(_folder.Write("3.zip", Make("zip", [("a/3", "three"), ("c/3", "three")])), target));
        Assert.Contains($"There is a '{target}/a' already", error.Message, StringComparison.Ordinal);
        Assert.Equal(["a/1", "b/2"], FilesIn(target));
    }

    [Theory]
    [InlineData("../out.txt", "leads out of its folder")]
    [InlineData("a/../../out.txt", "leads out of its folder")]
    [InlineData("a\\..\\..\\out.txt", "leads out of its folder")]
    [InlineData("/etc/out.txt", "is absolute")]
    [InlineData("\\\\server\\out.txt", "is absolute")]
    [InlineData("C:\\out.txt", "is absolute")]
    [InlineData("a\u0007b", "has control characters")]
    public void ANameThatLeadsElsewhere_IsRefused(string name, string reason)
    {
        foreach (string kind in new[] { "zip", "tar" })
        {
            string message = Refusal(Make(kind, [("good.txt", "good"), (name, "bad")]));
            Assert.Contains(reason, message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("a/x.txt", "a/X.txt")]
    [InlineData("a/x.txt", "A/y.txt")]
    [InlineData("a/x.txt", "a/x.txt")]
    [InlineData("a", "a/x.txt")]
    [InlineData("a/x.txt", "a")]
    public void NamesThatMeet_AreRefused(string first, string second)
    {
        foreach (string kind in new[] { "zip", "tar" })
        {
            Assert.Contains("which would be one file or folder", Refusal(Make(kind, [(first, "1"), (second, "2")])), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("con", false)]
    [InlineData("aux.txt", false)]
    [InlineData("a:b", false)]
    [InlineData("a.", false)]
    [InlineData("console", true)]
    [InlineData("001.ak47/001_0001.jpg", true)]
    public void OnWindows_NamesOfDevicesAndStreamsAreRefused(string name, bool allowed)
    {
        ArchiveEntries windows = new(_folder.Path, 1000, new(), onWindows: true);
        if (allowed)
        {
            Assert.Equal(name, windows.Checked(name));
        }
        else
        {
            Assert.Throws<InvalidDataException>(() => windows.Checked(name));
        }
    }

    [Theory]
    [InlineData(TarEntryType.SymbolicLink)]
    [InlineData(TarEntryType.HardLink)]
    [InlineData(TarEntryType.Fifo)]
    [InlineData(TarEntryType.CharacterDevice)]
    [InlineData(TarEntryType.BlockDevice)]
    public void ALinkOrDeviceInATar_IsRefused(TarEntryType type)
    {
        MemoryStream stream = new();
        using (TarWriter writer = new(stream, leaveOpen: true))
        {
            PaxTarEntry entry = new(type, "link");
            if (type is TarEntryType.SymbolicLink or TarEntryType.HardLink)
            {
                entry.LinkName = "/etc/passwd";
            }

            writer.WriteEntry(entry);
        }

        Assert.Contains($"'link' that is a {type}", Refusal(stream.ToArray()), StringComparison.Ordinal);
    }

    [Fact]
    public void ALinkInAZip_IsRefused()
    {
        MemoryStream stream = new();
        using (ZipArchive zip = new(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            ZipArchiveEntry entry = zip.CreateEntry("link");
            entry.ExternalAttributes = unchecked((int)0xA1FF0000);
            using Stream content = entry.Open();
            content.Write("/etc/passwd"u8);
        }

        Assert.Contains("'link' that is a link or device", Refusal(stream.ToArray()), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void ABomb_StopsAtTheLimits(string kind)
    {
        byte[] bomb = Make(kind, [("zeros", new string('0', 1 << 22))]);
        Assert.Contains("would become more than 1,000,000 bytes", Refusal(bomb, new() { MaxBytes = 1_000_000 }), StringComparison.Ordinal);
        Assert.Contains("has more than 2 files and folders", Refusal(Make(kind, _files), new() { MaxEntries = 2 }), StringComparison.Ordinal);
        if (kind != "tar")
        {
            Assert.Contains("would become more than", Refusal(bomb, new() { AnyRatioBytes = 0, MaxRatio = 10 }), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void ABombOfGzip_StopsAtTheLimits() =>
        Assert.Contains("would become more than", Refusal(Gzip(new byte[1 << 22]), new() { AnyRatioBytes = 0, MaxRatio = 10 }), StringComparison.Ordinal);

    [Fact]
    public void AZipWhoseEntryLies_IsRefused()
    {
        byte[] zip = Make("zip", [("zeros", new string('0', 5000))]);
        int entry = zip.AsSpan().LastIndexOf("PK\u0001\u0002"u8);
        BitConverter.TryWriteBytes(zip.AsSpan(entry + 24), 100);
        string message = Refusal(zip);
        Assert.StartsWith(_folder.PathOf("x.bin"), message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void ATruncatedArchive_IsRefusedOrHoldsWholeFiles(string kind)
    {
        byte[] whole = Make(kind, _files);
        for (int length = 0; length < whole.Length; length += kind == "tar" ? 37 : 1)
        {
            string target = _folder.PathOf($"out{length}");
            try
            {
                Unpack(_folder.Write("x.bin", whole[..length]), target);

                // A tar may end after any entry, and one of gzip is whole before its last bytes.
                Assert.NotEqual("zip", kind);
                Assert.All(FilesIn(target), file => Assert.Contains((file, File.ReadAllText($"{target}/{file}")), _files));
                Assert.True(kind == "tar" || FilesIn(target).Length == _files.Length, $"{length} of {whole.Length} bytes gave {FilesIn(target).Length} files.");
            }
            catch (InvalidDataException)
            {
                Assert.False(Directory.Exists(target) || Directory.Exists($"{target}.unpacking"));
            }
        }
    }

    [Theory]
    [InlineData("", "begins with nothing")]
    [InlineData("<html>Too many requests", "begins with 3C68746D6C3E546F")]
    public void AnotherFile_IsToldByItsBegin(string text, string reason) => Assert.Contains(reason, Refusal(Encoding.UTF8.GetBytes(text)), StringComparison.Ordinal);

    [Fact]
    public void WhatAKilledProcessLeft_IsCleared()
    {
        Directory.CreateDirectory(_folder.PathOf("out.unpacking/old"));
        Unpack(_folder.Write("x.zip", Make("zip", _files)), _folder.PathOf("out"));
        Assert.Equal(["out", "out.unpacking.lock", "x.zip"], Entries(_folder.Path));
        Assert.False(Directory.Exists(_folder.PathOf("out/old")));
    }

    [Fact]
    public void Cancelled_NothingIsLeft()
    {
        using CancellationTokenSource stop = new();
        stop.Cancel();
        Assert.Throws<OperationCanceledException>(() => Archives.Unpack(_folder.Write("x.zip", Make("zip", _files)), _folder.PathOf("out"), cancellation: stop.Token));
        Assert.False(Directory.Exists(_folder.PathOf("out")));
    }

    [Fact]
    public void ADataSet_IsUnpackedOnFirstUse_WithTheArchivesInIt()
    {
        byte[] inner = Make("tar.gz", [("101_ObjectCategories/airplanes/image_0001.jpg", "a"), ("101_ObjectCategories/BACKGROUND_Google/image_0001.jpg", "b")]);
        MemoryStream outer = new();
        using (ZipArchive zip = new(outer, ZipArchiveMode.Create, leaveOpen: true))
        {
            using Stream content = zip.CreateEntry("caltech-101/101_ObjectCategories.tar.gz").Open();
            content.Write(inner);
        }

        string[] files = [_folder.Write("caltech-101.zip", outer.ToArray()), _folder.Write("note.mat", "x"), _folder.PathOf("not-there.tar")];
        LocalArchives.Unpack(files);
        DateTime before = Directory.GetLastWriteTimeUtc(_folder.PathOf("caltech-101"));
        LocalArchives.Unpack(files);
        Assert.Equal(before, Directory.GetLastWriteTimeUtc(_folder.PathOf("caltech-101")));
        ImageSource images = ImageSources.Open("caltech101", _folder.Path, "all", allowPartial: true);
        Assert.Equal(["airplanes/image_0001.jpg"], images.ImageNames);
    }

    [Fact]
    public async Task ManyAtOnce_UnpackOnce()
    {
        string archive = _folder.Write("x.zip", Make("zip", _files));
        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => Archives.UnpackOnce(archive, _folder.PathOf("out"), cancellation: TestContext.Current.CancellationToken))));
        Assert.Equal(3, FilesIn(_folder.PathOf("out")).Length);
    }

    [Fact]
    public void AMissingArchive_Throws() => Assert.Throws<FileNotFoundException>(() => Unpack(_folder.PathOf("none.zip"), _folder.PathOf("out")));

    [Fact]
    public void AChangedArchive_ComesOutWithinItsFolderOrIsRefusedWithOneKindOfException()
    {
        (int unpacked, int refused) = Fuzz(seed: 1, count: 300);
        Assert.InRange(unpacked, 10, 290);
        Assert.Equal(300, unpacked + refused);
    }

    /// <summary>Changes small archives in a few places each; whatever else is thrown than InvalidDataException fails the test.</summary>
    private (int Unpacked, int Refused) Fuzz(int seed, int count)
    {
        byte[][] archives = [.. Kinds.Select(kind => Make(kind.Data, _files)), Gzip("abc"u8.ToArray()), Make("pax", [(new string('n', 150) + "/ä.txt", "x")])];
        Random random = new(seed);
        int unpacked = 0;
        for (int i = 0; i < count; i++)
        {
            string target = _folder.PathOf("fuzz/in/out");
            try
            {
                Unpack(_folder.Write("x.bin", Mutator.Change(archives[random.Next(archives.Length)], random)), target);
                unpacked++;
                Directory.Delete(target, recursive: true);
            }
            catch (InvalidDataException error)
            {
                Assert.StartsWith($"{_folder.PathOf("x.bin")}: ", error.Message, StringComparison.Ordinal);
            }

            Assert.Equal(["in"], Entries(_folder.PathOf("fuzz")));
            Assert.Equal(["out.unpacking.lock"], Entries(_folder.PathOf("fuzz/in")));
        }

        return (unpacked, count - unpacked);
    }

    private string Refusal(byte[] archive, ArchiveLimits? limits = null)
    {
        string path = _folder.Write("x.bin", archive);
        string message = Assert.Throws<InvalidDataException>(() => Unpack(path, _folder.PathOf("refused"), limits)).Message;
        Assert.StartsWith($"{path}: ", message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_folder.PathOf("refused")) || Directory.Exists(_folder.PathOf("refused.unpacking")));
        return message;
    }

    private static void Unpack(string file, string folder, ArchiveLimits? limits = null) =>
        Archives.Unpack(file, folder, limits, cancellation: TestContext.Current.CancellationToken);

    private static byte[] Make(string kind, (string Name, string Text)[] files)
    {
        MemoryStream stream = new();
        if (kind == "zip")
        {
            using ZipArchive zip = new(stream, ZipArchiveMode.Create, leaveOpen: true);
            foreach ((string name, string text) in files)
            {
                using Stream content = zip.CreateEntry(name).Open();
                content.Write(Encoding.UTF8.GetBytes(text));
            }
        }
        else
        {
            using TarWriter tar = new(stream, kind == "pax" ? TarEntryFormat.Pax : TarEntryFormat.Ustar, leaveOpen: true);
            foreach ((string name, string text) in files)
            {
                TarEntry entry = kind == "pax" ? new PaxTarEntry(TarEntryType.RegularFile, name) : new UstarTarEntry(TarEntryType.RegularFile, name);
                entry.DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text));
                tar.WriteEntry(entry);
            }
        }

        return kind == "tar.gz" ? Gzip(stream.ToArray()) : stream.ToArray();
    }

    private static byte[] Gzip(byte[] bytes)
    {
        MemoryStream stream = new();
        using (GZipStream gzip = new(stream, CompressionLevel.Optimal, leaveOpen: true))
        {
            gzip.Write(bytes);
        }

        return stream.ToArray();
    }

    private static string[] FilesIn(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/')).Order(StringComparer.Ordinal)];

    private static string[] Entries(string folder) => [.. Directory.EnumerateFileSystemEntries(folder).Select(entry => Path.GetFileName(entry)!).Order(StringComparer.Ordinal)];
}
