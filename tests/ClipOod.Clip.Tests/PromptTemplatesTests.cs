namespace ClipOod.Clip.Tests;

public sealed class PromptTemplatesTests
{
    public static TheoryData<string, int> Sets => new()
    {
        { nameof(PromptTemplates.Clip), 1 }, { nameof(PromptTemplates.Mcm), 1 }, { nameof(PromptTemplates.NegLabel), 1 },
        { nameof(PromptTemplates.NegLabelAdjective), 1 }, { nameof(PromptTemplates.Food101), 1 }, { nameof(PromptTemplates.Plp5), 5 },
        { nameof(PromptTemplates.ImageNet7), 7 }, { nameof(PromptTemplates.Cifar18), 18 }, { nameof(PromptTemplates.ImageNet80), 80 },
    };

    private static IReadOnlyList<string> Set(string name) => (IReadOnlyList<string>)typeof(PromptTemplates).GetProperty(name)!.GetValue(null)!;

    [Theory, MemberData(nameof(Sets))]
    public void Set_HasItsNumberOfDifferentTemplates(string name, int count)
    {
        IReadOnlyList<string> templates = Set(name);
        Assert.Equal(count, templates.Count);
        Assert.Equal(count, templates.Distinct().Count());
        Assert.All(templates, t => Assert.Contains("dog", PromptTemplates.Fill(t, "dog"), StringComparison.Ordinal));
        Assert.All(templates, t => Assert.DoesNotContain("  ", t, StringComparison.Ordinal));
    }

    [Fact]
    public void Sets_ListEveryPublicSet() =>
        Assert.Equal(
            typeof(PromptTemplates).GetProperties().Select(p => p.Name).Order(),
            Sets.Select(s => s.Data.Item1).Order());

    [Fact]
    public void ImageNet7_IsPartOfImageNet80() => Assert.Subset(PromptTemplates.ImageNet80.ToHashSet(), PromptTemplates.ImageNet7.ToHashSet());

    [Fact]
    public void ImageNet80_ContainsOneOfEachForm()
    {
        string[] expected =
        [
            "a bad photo of a {}.", "a jpeg corrupted photo of the {}.", "graffiti of the {}.", "itap of my {}.", "a photo of the hard to see {}.",
            "the plushie {}.", "the {} in a video game.", "a photo of many {}.", "a photo of one {}.", "a close-up photo of the {}.",
        ];
        Assert.Subset(PromptTemplates.ImageNet80.ToHashSet(), expected.ToHashSet());
        Assert.Equal(40 - 2, PromptTemplates.ImageNet80.Count(t => t.Split(' ').Contains("the")));
    }

    [Fact]
    public void Cifar18_IsTheSetOfTheSpecification()
    {
        Assert.Contains("a photo of a {}.", PromptTemplates.Cifar18);
        Assert.Contains("a black and white photo of the {}.", PromptTemplates.Cifar18);
        Assert.Contains("a photo of the small {}.", PromptTemplates.Cifar18);
        Assert.Equal(9, PromptTemplates.Cifar18.Count(t => t.Contains(" the ", StringComparison.Ordinal)));
    }

    [Fact]
    public void FillAll_ClassesAndTemplates_GoesClassByClass() =>
        Assert.Equal(
            ["a photo of a cat.", "a blurry photo of a cat.", "a photo of many cat.", "a photo of the large cat.", "a photo of the small cat.", "a photo of a dog."],
            PromptTemplates.FillAll(PromptTemplates.Plp5, ["cat", "dog"]).Take(6));

    [Theory]
    [InlineData("a photo")]
    [InlineData("a {} and a {}")]
    public void Fill_TemplateWithoutOnePlaceholder_Throws(string template) =>
        Assert.Contains(template, Assert.Throws<ArgumentException>(() => PromptTemplates.Fill(template, "cat")).Message, StringComparison.Ordinal);

    [Fact]
    public void Fill_BadNameOrNoTemplate_Throws()
    {
        Assert.Throws<ArgumentException>(() => PromptTemplates.Fill("a {}", " "));
        Assert.Throws<ArgumentException>(() => PromptTemplates.FillAll([], ["cat"]));
    }

    [Theory]
    [InlineData("great_white_shark", "great white shark")]
    [InlineData("T-shirt", "T shirt")]
    [InlineData("hot dog", "hot dog")]
    [InlineData("lobster_roll__sandwich", "lobster roll sandwich")]
    [InlineData("001.ak47", "ak47")]
    [InlineData("015.bonsai-101", "bonsai")]
    [InlineData("232.t-shirt", "t shirt")]
    [InlineData("American robin", "American robin")]
    public void Clean_Label_GivesWords(string label, string expected) => Assert.Equal(expected, ClassNames.Clean(label));

    [Theory]
    [InlineData("024.butterfly", "butterfly")]
    [InlineData("145.motorbikes-101", "motorbikes")]
    [InlineData("003.backpack", "backpack")]
    [InlineData("026.cake", "cake")]
    [InlineData("079.fire-extinguisher", "fire extinguisher")]
    [InlineData("257.clutter", null)]
    public void FromCaltech256_Folder_GivesWordsAndNoClutter(string folder, string? expected) => Assert.Equal(expected, ClassNames.FromCaltech256(folder));

    [Fact]
    public void FromCaltech256_AnotherFolder_Throws() =>
        Assert.Contains("butterfly", Assert.Throws<ArgumentException>(() => ClassNames.FromCaltech256("butterfly")).Message, StringComparison.Ordinal);

    [Fact]
    public void Cifar10_HasTenNames() => Assert.Equal(10, ClassNames.Cifar10.Distinct().Count());
}
