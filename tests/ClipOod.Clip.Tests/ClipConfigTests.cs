using ClipOod.Autodiff;

namespace ClipOod.Clip.Tests;

public sealed class ClipConfigTests
{
    // Millions of parameters as published: open_clip's docs/model_profile.csv.
    [Theory]
    [InlineData("ViT-B-32", 151.28)]
    [InlineData("ViT-B-16", 149.62)]
    [InlineData("ViT-L-14", 427.62)]
    [InlineData("ViT-L-14-336", 427.94)]
    [InlineData("ViT-H-14", 986.11)]
    [InlineData("ViT-g-14", 1366.68)]
    [InlineData("ViT-bigG-14", 2539.57)]
    public void Named_EveryPublishedModel_HasThePublishedNumberOfParameters(string name, double millions) =>
        Assert.Equal(millions, ClipConfig.Named(name).ParameterCount / 1e6, 0.005);

    [Theory]
    [InlineData("ViT-B/32", "ViT-B-32")]
    [InlineData("ViT-L/14@336px", "ViT-L-14-336")]
    public void Named_OpenAisName_IsTheModelWithQuickGelu(string openAi, string openClip)
    {
        Assert.Equal(ClipConfig.Named(openClip) with { Activation = ClipActivation.QuickGelu }, ClipConfig.Named(openAi));
        Assert.Equal(ClipConfig.Named($"{openClip}-quickgelu"), ClipConfig.Named(openAi));
        Assert.Equal(ClipActivation.Gelu, ClipConfig.Named(openClip).Activation);
    }

    [Fact]
    public void Named_UnknownName_ListsTheKnown()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => ClipConfig.Named("RN50"));
        Assert.Contains("ViT-B-16, ViT-B-16-quickgelu", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ViT-H-14", 1280, 80)]
    [InlineData("ViT-g-14", 1408, 88)]
    [InlineData("ViT-bigG-14", 1664, 104)]
    public void Create_TheWidestModels_BuildWithoutTheirWeights(string name, int width, int headWidth)
    {
        ClipConfig config = ClipConfig.Named(name);
        Assert.Equal(headWidth, width / config.Vision.Heads);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        using ClipModel model = ClipModel.Create(config, seed: 1);
        Assert.Equal(new Shape("batch", config.EmbeddingWidth), model.ImageFeatures.Shape);
        Assert.Equal(new Shape("batch", config.EmbeddingWidth), model.TextFeatures.Shape);
        Assert.Equal(new Shape("batch", config.Patches + 1, width), model.ImageTower.Tokens(model.Pixels).Shape);
        Assert.Equal(config.ParameterCount, model.Graph.Weights.Sum(weight => weight.Count));

        // Random values are drawn when they are needed, so nothing near the weights' gigabytes is in use.
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, 0, 100_000_000);
    }

    [Fact]
    public void Create_SizesThatDoNotFit_AreAllListed()
    {
        ClipConfig config = Tiny.Config with { PatchSize = 5, Text = new(30, 0, 4, 120), ContextLength = 1 };
        ArgumentException error = Assert.Throws<ArgumentException>(() => ClipModel.Create(config, seed: 1));
        Assert.Contains("patches of 5 do not tile an image of 16", error.Message, StringComparison.Ordinal);
        Assert.Contains("4 heads, which do not divide its width of 30", error.Message, StringComparison.Ordinal);
        Assert.Contains("number of layers is 0", error.Message, StringComparison.Ordinal);
        Assert.Contains("context length is 1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_WithTheSameSeed_HasTheSameWeights()
    {
        using ClipModel a = ClipModel.Create(Tiny.Config, seed: 3);
        using ClipModel b = ClipModel.Create(Tiny.Config, seed: 3);
        using ClipModel c = ClipModel.Create(Tiny.Config, seed: 4);
        Assert.Equal(a.ModelHash, b.ModelHash);
        Assert.NotEqual(a.ModelHash, c.ModelHash);
        Assert.Equal(Math.Log(1 / 0.07), a.LogitScale.Value.ToDouble(), 1e-6);
    }
}
