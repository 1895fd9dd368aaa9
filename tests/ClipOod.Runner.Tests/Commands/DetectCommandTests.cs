using System.Text.Json;
using ClipOod.Notebook;
using static ClipOod.Runner.Tests.Commands.Invocation;

namespace ClipOod.Runner.Tests.Commands;

/// <summary>Textures drawn here, through the real ResNet-18.</summary>
public sealed class DetectCommandTests(DetectCommandTests.Drawn drawn) : IClassFixture<DetectCommandTests.Drawn>
{
    [Fact]
    public void Detect_TellsWhatIsUsed_WhatIsNew_AndHowGoodThatIs()
    {
        Assert.Equal(0, drawn.First.Code);
        string output = drawn.First.Output;
        Assert.Contains("Known: 48 images are used, 2 files and folders are not", output, StringComparison.Ordinal);
        Assert.Contains("a copy of the known image discs/0.png", output, StringComparison.Ordinal);
        Assert.Contains("HEIC, as phones write it", output, StringComparison.Ordinal);
        Assert.Contains("Broken, left out: broken.png", output, StringComparison.Ordinal);
        Assert.Contains("reads no text", output, StringComparison.Ordinal);
        Assert.Contains("Had you forgotten a class", output, StringComparison.Ordinal);
        Assert.Contains("48 known images: the smallest p-value is 0.02", output, StringComparison.Ordinal);
        Assert.Contains("By truth.csv, 12 images are known and 12 new: AUROC", output, StringComparison.Ordinal);
        Assert.Contains("It holds features and file names of the known images.", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_HoldARowPerImage_AndNoPathBeyondTheFolders()
    {
        string[] csv = File.ReadAllLines(drawn.PathOf("out.csv"));
        JsonElement json = JsonDocument.Parse(File.ReadAllText(drawn.PathOf("out.json"))).RootElement;
        Assert.Equal("file,verdict,p,class_p,score,class,nearest,cosine,cluster", csv[0]);
        Assert.Equal(24, csv.Length - 1);
        Assert.Equal(csv.Skip(1).Select(line => line.Split(',')[0]), json.GetProperty("images").EnumerateArray().Select(row => row.GetProperty("file").GetString()));
        Assert.All(csv.Skip(1).Take(6), line => Assert.StartsWith("rings-", line, StringComparison.Ordinal));
        Assert.True(json.GetProperty("auroc").GetProperty("value").GetDouble() > 0.9);
        Assert.Equal("broken.png", json.GetProperty("broken")[0].GetString());
        string page = File.ReadAllText(drawn.PathOf("out.html"));
        Assert.Contains("This page embeds small pictures of 24 of your images", page, StringComparison.Ordinal);
        Assert.Equal(48, page.Split("<img src=\"data:image/png").Length - 1);
        Assert.All(["out.csv", "out.json", "out.html", "detector.json"], name => Assert.DoesNotContain(drawn.Folder, File.ReadAllText(drawn.PathOf(name)), StringComparison.Ordinal));
    }

    [Fact]
    public async Task ASavedDetector_SaysTheSame_AndPagesWithoutPicturesHoldNone()
    {
        string csv = drawn.PathOf("again.csv"), html = drawn.PathOf("again.html");
        var (code, _, error) = await InvokeAsync("detect", "--with", drawn.PathOf("detector.json"), "--new", drawn.PathOf("new"), "--csv", csv, "--html", html, "--no-pictures");
        Assert.True(code == 0, error);

        // A detector does not know the files of the known images: the copy is judged there.
        Assert.Equal(File.ReadAllLines(drawn.PathOf("out.csv")).Skip(1).Select(Key), File.ReadAllLines(csv).Skip(1).Where(line => !line.StartsWith("copy.png", StringComparison.Ordinal)).Select(Key));
        string page = File.ReadAllText(html);
        Assert.DoesNotContain("data:image/png", page, StringComparison.Ordinal);
        Assert.Contains("This page embeds no pictures", page, StringComparison.Ordinal);

        // File, score and nearest image; the p-values of a list depend on nothing else, its verdicts on how many there are.
        static string Key(string line) => string.Join(',', line.Split(',').Where((_, i) => i is 0 or 2 or 4 or 6));
    }

    [Fact]
    public async Task Classes_AreRemovedAndAdded_WithoutTheOthersImages()
    {
        string less = drawn.PathOf("less.json"), more = drawn.PathOf("more.json");
        Assert.Equal(0, (await InvokeAsync("detect", "--with", drawn.PathOf("detector.json"), "--remove", "discs", "--save", less)).Code);
        Assert.Equal(["bars", "grid", "noise"], NoveltyDetector.Load(less).Classes);
        var (code, output, error) = await InvokeAsync("detect", "--with", less, "--add", $"discs={drawn.PathOf("known/discs")}", "--save", more, "--without-features");
        Assert.True(code == 0, error);
        Assert.Contains("It holds class statistics of the known images.", output, StringComparison.Ordinal);
        NoveltyDetector grown = NoveltyDetector.Load(more);
        Assert.Equal(["bars", "grid", "noise", "discs"], grown.Classes);
        Assert.Null(grown.Known);
        Assert.DoesNotContain(".png", File.ReadAllText(more), StringComparison.Ordinal);
        Assert.Contains("saved without the known images' features", (await InvokeAsync("detect", "--with", more, "--remove", "discs", "--save", less)).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AStreamOfNames_IsJudgedLineByLine_AndGoesOnAfterABadOne()
    {
        TextReader before = Console.In;
        using StringReader names = new($"{drawn.PathOf("new/rings-0.png")}\n\n{drawn.PathOf("new/gone.png")}\n{drawn.PathOf("known/discs/1.png")}\n");
        try
        {
            Console.SetIn(names);
            var (code, output, _) = await InvokeAsync("detect", "--with", drawn.PathOf("detector.json"), "--new", "-");
            string[] lines = [.. output.Split('\n').Where(line => line.Contains('\t', StringComparison.Ordinal))];
            Assert.Equal(0, code);
            Assert.Equal(["new", "not read", "known"], lines.Select(line => line.Split('\t')[1]));
            Assert.EndsWith("\tdiscs\tdiscs/1.png", lines[2].TrimEnd('\r'), StringComparison.Ordinal);
        }
        finally
        {
            Console.SetIn(before);
        }
    }

    [Fact]
    public async Task Periods_AreComparedWithTheFirst()
    {
        var (code, output, error) = await InvokeAsync("detect", "--with", drawn.PathOf("detector.json"), "--new", drawn.PathOf("weeks"), "--periods");
        Assert.True(code == 0, error);
        string[] rows = [.. output.Split('\n').Where(line => line.StartsWith("week ", StringComparison.Ordinal) || line.StartsWith("week-", StringComparison.Ordinal)).Where(line => !line.Contains(".png", StringComparison.Ordinal))];
        Assert.Equal(3, rows.Length);
        Assert.EndsWith("not seen", rows[1].TrimEnd(), StringComparison.Ordinal);
        Assert.EndsWith("yes", rows[2].TrimEnd(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task KnownImagesThatTheModelCannotSort_AreRefused_AndNothingIsWritten()
    {
        string save = drawn.PathOf("refused.json");
        var (code, output, error) = await InvokeAsync("detect", "--known", drawn.PathOf("mixed"), "--save", save);
        Assert.Equal(2, code);
        Assert.Contains("below", error, StringComparison.Ordinal);
        Assert.Contains("no verdict is given", error, StringComparison.Ordinal);
        Assert.DoesNotContain("called new", output, StringComparison.Ordinal);
        Assert.False(File.Exists(save));
    }

    [Theory]
    [InlineData("Give either --known FOLDER", "--new", "new")]
    [InlineData("Give either --known FOLDER", "--known", "known", "--with", "detector.json", "--new", "new")]
    [InlineData("Nothing to do", "--known", "known")]
    [InlineData("--add and --remove change a saved detector", "--known", "known", "--new", "new", "--remove", "discs")]
    [InlineData("expected NAME=FOLDER", "--with", "detector.json", "--add", "discs", "--save", "x.json")]
    [InlineData("There is a class 'discs' already", "--with", "detector.json", "--add", "discs=known/discs", "--save", "x.json")]
    [InlineData("there is none of this name", "--with", "detector.json", "--remove", "dogs", "--save", "x.json")]
    [InlineData("--without-features says what --save keeps", "--known", "known", "--new", "new", "--without-features")]
    [InlineData("A stream is printed line by line", "--with", "detector.json", "--new", "-", "--csv", "x.csv")]
    [InlineData("has no place for a class name", "--known", "known", "--new", "new", "--prompt", "a photo")]
    [InlineData("--fdr must be above 0 and below 1. Got '1.5'", "--known", "known", "--new", "new", "--fdr", "1.5")]
    [InlineData("There is no folder of images", "--known", "gone", "--new", "new")]
    [InlineData("is no detector", "--with", "truth.csv", "--new", "new")]
    [InlineData("expected file and truth in the first line", "--with", "detector.json", "--new", "new", "--truth", "out.csv")]
    [InlineData("There is no model 'nothing'", "--known", "known", "--new", "new", "--model", "nothing")]
    [InlineData("Words need a model that reads text", "--known", "known", "--new", "new", "--words", "truth.csv")]
    public async Task BadInput_SaysWhatToDo(string message, params string[] arguments)
    {
        var (code, _, error) = await InvokeAsync(["detect", .. arguments.Select(argument => Drawn.Names.Contains(argument) ? drawn.PathOf(argument)
            : argument.Replace("=known/", $"={drawn.Folder}/known/", StringComparison.Ordinal))]);
        Assert.Equal(2, code);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    /// <summary>Folders of textures, and the first run on them.</summary>
    public sealed class Drawn : IAsyncLifetime
    {
        internal static readonly string[] Names = ["known", "new", "gone", "detector.json", "truth.csv", "out.csv", "x.json", "x.csv"];

        private const int Side = 64;

        private readonly TemporaryFolder _folder = new();

        public string Folder => _folder.Path;

        public (int Code, string Output, string Error) First { get; private set; }

        public string PathOf(string name) => _folder.PathOf(name);

        public async ValueTask InitializeAsync()
        {
            string[] textures = ["discs", "bars", "grid", "noise", "rings"];
            for (int k = 0; k < 4; k++)
            {
                for (int i = 0; i < 12; i++)
                {
                    Put($"known/{textures[k]}/{i}.png", k, i);
                    Put($"mixed/{textures[(k + i) % 4]}/{k}-{i}.png", k, i);
                }
            }

            List<string> truth = ["file,truth"];
            foreach ((int k, int i) in from k in Enumerable.Range(0, 5) from i in Enumerable.Range(0, k == 4 ? 12 : 3) select (k, i))
            {
                Put($"new/{textures[k]}-{i}.png", k, 100 + i);
                truth.Add($"{textures[k]}-{i}.png,{(k == 4 ? "new" : "known")}");
            }

            foreach ((int k, int i) in from k in Enumerable.Range(0, 4) from i in Enumerable.Range(0, 3) select (k, i))
            {
                Put($"weeks/week-1/{k}-{i}.png", k, 200 + i);
                Put($"weeks/week-2/{k}-{i}.png", k, 300 + i);
                Put($"weeks/week-3/{k}-{i}.png", 4, 400 + (10 * k) + i);
            }

            File.Copy(PathOf("known/discs/0.png"), PathOf("known/discs/copy.png"));
            File.Copy(PathOf("known/discs/0.png"), PathOf("new/copy.png"));
            Put("known/@eaDir/0.png", 0, 500);
            File.WriteAllBytes(PathOf("new/broken.png"), File.ReadAllBytes(PathOf("known/discs/0.png"))[..60]);
            File.WriteAllBytes(PathOf("new/phone.heic"), [0, 0, 0, 24, .. "ftypheic"u8, 0, 0, 0, 0]);
            File.WriteAllLines(PathOf("truth.csv"), truth);
            First = await InvokeAsync(
                "detect", "--known", PathOf("known"), "--new", PathOf("new"), "--truth", PathOf("truth.csv"), "--model", "resnet-18",
                "--csv", PathOf("out.csv"), "--json", PathOf("out.json"), "--html", PathOf("out.html"), "--save", PathOf("detector.json"));
        }

        public ValueTask DisposeAsync()
        {
            _folder.Dispose();
            return ValueTask.CompletedTask;
        }

        private void Put(string name, int texture, int seed)
        {
            var random = new Random((1000 * texture) + seed);
            double[] colour = [random.NextDouble(), random.NextDouble(), random.NextDouble()], ground = [random.NextDouble(), random.NextDouble(), random.NextDouble()];
            double x0 = 20 + (24 * random.NextDouble()), y0 = 20 + (24 * random.NextDouble()), size = 8 + (8 * random.NextDouble());
            byte[] pixels = new byte[Side * Side * 3];
            for (int i = 0; i < Side * Side; i++)
            {
                (double x, double y) = (i % Side, i / Side);
                double distance = Math.Sqrt(((x - x0) * (x - x0)) + ((y - y0) * (y - y0)));
                double on = texture switch
                {
                    0 => distance < size ? 1 : 0,
                    1 => Math.Floor((x + x0) / size * 2) % 2,
                    2 => (Math.Floor((x + x0) / size * 2) + Math.Floor((y + y0) / size * 2)) % 2,
                    3 => random.NextDouble(),
                    _ => Math.Floor(distance / 3) % 2,
                };
                for (int c = 0; c < 3; c++)
                {
                    pixels[(3 * i) + c] = (byte)(255 * ((on * colour[c]) + ((1 - on) * ground[c])));
                }
            }

            Directory.CreateDirectory(Path.GetDirectoryName(PathOf(name))!);
            File.WriteAllBytes(PathOf(name), new ImageBatch(1, Side, Side, pixels).ToPng(0));
        }
    }
}
